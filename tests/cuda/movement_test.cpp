#include <doctest/doctest.h>

#include <vector>

#include "engine/ops/concat.h"
#include "engine/ops/gather.h"
#include "engine/ops/layer_norm.h"
#include "engine/ops/permute.h"
#include "engine/ops/slice.h"
#include "tests/check_device.h"

using namespace noisymix;
using namespace noisymix::testing;
using Inputs = std::vector<Tensor>;

namespace {

const DeviceTolerance kExact{0, 0, 0};

Tensor some_indices(const Shape& shape, std::int64_t count) {
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < shape.numel(); ++i) values.push_back(Key(5).below(static_cast<std::uint64_t>(i), count));
  return Tensor::from(values, shape);
}

}  // namespace

TEST_CASE("cuda: permute, flip, expand, concat, split and slice move the same elements") {
  const Tensor x = random_normal({3, 4, 5, 2}, Key(1));
  check_devices_agree("permute", [](const Inputs& in) { return permute(in[0], {2, 0, 3, 1}); }, {x}, kExact);
  check_devices_agree("to_channels_first", [](const Inputs& in) { return to_channels_first(in[0]); }, {x}, kExact);
  check_devices_agree("flip", [](const Inputs& in) { return flip(in[0], {1, 3}); }, {x}, kExact);
  check_devices_agree("expand", [](const Inputs& in) { return expand(in[0], {7, 3, 4, 5}); },
                      {random_normal({3, 1, 5}, Key(2))}, {1e-14, 1e-6, 1e-2});
  check_devices_agree("concat", [](const Inputs& in) { return concat({in[0], in[1]}, 1); },
                      {x, random_normal({3, 1, 5, 2}, Key(3))}, kExact);
  check_devices_agree("split", [](const Inputs& in) { return split(in[0], {1, 3}, 2)[1]; }, {random_normal({2, 3, 4}, Key(4))},
                      kExact);
  check_devices_agree("slice", [](const Inputs& in) { return slice(in[0], {{0, 3, 2}, {1, 4}, {4, 5}}); }, {x}, kExact);
  check_devices_agree("rows", [](const Inputs& in) { return in[0].rows(1, 3).reshape({-1}); }, {x}, kExact);
  check_devices_agree("empty", [](const Inputs& in) { return permute(in[0], {1, 0}); }, {Tensor::zeros({0, 3})}, kExact);
}

TEST_CASE("cuda: borders of every kind") {
  const Tensor x = random_normal({2, 5, 4, 3}, Key(1));
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
    check_devices_agree("pad2d", [&](const Inputs& in) { return pad2d(in[0], {2, 1, 3, 0}, mode, 0.5); }, {x},
                        {1e-14, 1e-6, 1e-2});
}

TEST_CASE("cuda: picking by index, with repeats") {
  const Tensor x = random_normal({6, 5, 3}, Key(1));
  for (int axis = 0; axis < 3; ++axis) {
    check_devices_agree("index_select",
                        [&](const Inputs& in) { return index_select(in[0], in[1], axis); },
                        {x, some_indices({9}, x.dim(axis))}, {1e-14, 1e-6, 1e-2});
    check_devices_agree("gather", [&](const Inputs& in) { return gather(in[0], in[1], axis); },
                        {x, some_indices({3, 3, 3}, x.dim(axis))}, {1e-14, 1e-6, 1e-2});
  }
  check_devices_agree("embedding", [](const Inputs& in) { return embedding(in[0], in[1]); },
                      {random_normal({7, 4}, Key(2)), some_indices({2, 5}, 7)}, {1e-14, 1e-6, 1e-2});
  const auto device = gpu();
  if (!device) return;
  const Tensor index = some_indices({11}, 4);
  CHECK(same_bits(one_hot(index.to(*device), 4).to(Device{}), one_hot(index, 4)));
  CHECK_THROWS_AS(index_select(x.to(*device), Tensor::from<std::int64_t>({6}, {1}, *device), 0), ShapeError);
}

TEST_CASE("cuda: layer and group norm") {
  for (const std::int64_t width : {1, 7, 300})
    check_devices_agree("layer_norm", [](const Inputs& in) { return layer_norm(in[0], in[1], in[2]); },
                        {random_normal({13, width}, Key(1), 5), random_normal({width}, Key(2)), random_normal({width}, Key(3))},
                        {1e-10, 5e-6, 2e-2});
  check_devices_agree("group_norm", [](const Inputs& in) { return group_norm(in[0], in[1], in[2], 2); },
                      {random_normal({3, 5, 4, 6}, Key(1)), random_normal({6}, Key(2)), random_normal({6}, Key(3))},
                      {1e-11, 5e-6, 2e-2});
}
