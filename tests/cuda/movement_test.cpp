// Ops that move elements: permute, flip, expand, slice, concat, split, pad2d.
#include <doctest/doctest.h>

#include "engine/ops/concat.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr DeviceTolerance kExact{0, 0, 0};

/// In every dtype, and exactly: nothing is computed.
void check_moves(const char* name, const std::function<Tensor(const Tensor&)>& f, const Shape& shape) {
  const auto device = gpu();
  if (!device) return;
  check_devices_agree(
      name, [&](const std::vector<Tensor>& in) { return f(in[0]); }, {random_normal(shape, Key(1))}, kExact);
  for (const Dtype dtype : {Dtype::u8, Dtype::i32, Dtype::i64}) {
    const Tensor x = random_uniform(shape, Key(2), 0, 250).to(dtype);
    INFO(name << " " << name_of(dtype) << " " << shape.str());
    CHECK(same_bits(f(x.to(*device)).to(Device{}), f(x)));
  }
}

}  // namespace

TEST_CASE("cuda movement: permutations") {
  if (!gpu()) return;
  check_moves("permute", [](const Tensor& x) { return permute(x, {1, 0}); }, {7, 5});
  check_moves("permute", [](const Tensor& x) { return permute(x, {1, 0}); }, {70, 50});
  check_moves("permute", [](const Tensor& x) { return permute(x, {1, 0}); }, {64, 2048});
  check_moves("permute", [](const Tensor& x) { return permute(x, {}); }, {});
  check_moves("permute", [](const Tensor& x) { return permute(x, {1, 0}); }, {0, 3});
  check_moves("permute", [](const Tensor& x) { return permute(x, {2, 0, 3, 1}); }, {3, 5, 2, 7});
  check_moves("permute", [](const Tensor& x) { return permute(x, {1, 0, 2}); }, {6, 5, 16});
  check_moves("permute", [](const Tensor& x) { return permute(x, {0, 2, 1}); }, {3, 33, 65});
  check_moves("permute", [](const Tensor& x) { return permute(x, {5, 3, 1, 4, 2, 0}); }, {2, 3, 2, 3, 2, 3});
  check_moves("to_channels_last", to_channels_last, {2, 3, 8, 9});
  check_moves("to_channels_last", to_channels_last, {2, 40, 6, 7});
  check_moves("to_channels_first", to_channels_first, {2, 6, 7, 40});
}

TEST_CASE("cuda movement: mirrors and expansion") {
  if (!gpu()) return;
  check_moves("flip", [](const Tensor& x) { return flip(x, {0}); }, {5, 8});
  check_moves("flip", [](const Tensor& x) { return flip(x, {2}); }, {2, 5, 8, 3});
  check_moves("flip", [](const Tensor& x) { return flip(x, {1, 2}); }, {2, 5, 8, 16});
  check_devices_agree("expand",
                      [](const std::vector<Tensor>& in) {
                        return expand(in[0], {4, 3, 5, 8});
                      },
                      {random_normal({3, 1, 8}, Key(3))});
  check_devices_agree("expand",
                      [](const std::vector<Tensor>& in) {
                        return expand(in[0], {6, 7});
                      },
                      {random_normal({6, 1}, Key(4))});
}

TEST_CASE("cuda movement: slices, concatenation and splits") {
  const auto device = gpu();
  if (!device) return;
  check_moves("slice", [](const Tensor& x) { return slice(x, {{1, 4}}); }, {6, 16});
  check_moves("slice", [](const Tensor& x) { return slice(x, {{0, 6}, {3, 9}}); }, {6, 16});
  check_moves("slice", [](const Tensor& x) { return slice(x, {{0, 6}, {8, 16}}); }, {6, 16});
  check_moves("slice", [](const Tensor& x) { return slice(x, {{1, 6, 2}, {0, 15, 4}}); }, {6, 15});
  check_moves("slice", [](const Tensor& x) { return slice(x, {{2, 2}}); }, {6, 15});
  for (const int axis : {0, 1, 2})
    check_devices_agree("concat",
                        [axis](const std::vector<Tensor>& in) {
                          return concat({in[0], in[1], in[0]}, axis);
                        },
                        {random_normal({3, 4, 8}, Key(5)), random_normal({3, 4, 8}, Key(6))});
  check_devices_agree(
      "concat", [](const std::vector<Tensor>& in) { return concat(in, 1); },
      {random_normal({3, 5}, Key(7)), random_normal({3, 0}, Key(8)), random_normal({3, 8}, Key(9))});
  check_devices_agree("stack", [](const std::vector<Tensor>& in) { return stack(in, -1); },
                      {random_normal({3, 5}, Key(10)), random_normal({3, 5}, Key(11))});
  check_moves("split", [](const Tensor& x) { return split(x, {2, 3}, 1)[1]; }, {4, 5});
}

TEST_CASE("cuda movement: padding") {
  if (!gpu()) return;
  for (const Shape& shape : {Shape{2, 5, 6, 3}, Shape{1, 4, 4, 16}, Shape{3, 7, 5, 1}})
    for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
      for (const Padding padding : {Padding{}, Padding{1, 2, 3, 0}, Padding{3, 3, 3, 3}, Padding{0, 3, 1, 2}})
        check_devices_agree("pad2d",
                            [&](const std::vector<Tensor>& in) { return pad2d(in[0], padding, mode, 0.5); },
                            {random_normal(shape, Key(12))});
  check_devices_agree("pad2d",
                      [](const std::vector<Tensor>& in) {
                        return pad2d(in[0], {9, 8, 7, 6}, PadMode::replicate);
                      },
                      {random_normal({2, 1, 1, 4}, Key(13))});
  check_devices_agree("pad2d",
                      [](const std::vector<Tensor>& in) {
                        return pad2d(in[0], {1, 1, 1, 1});
                      },
                      {random_normal({0, 3, 3, 2}, Key(14))});
}
