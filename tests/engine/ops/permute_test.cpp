#include "engine/ops/permute.h"

#include "engine/cpu/parallel.h"
#include "tests/ops_golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Tensor counted(const Shape& shape) {
  std::vector<float> data(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<float>(i);
  return Tensor::from(data, shape);
}

}  // namespace

TEST_CASE("permute places axis order[i] at i") {
  const Tensor y = permute(counted({2, 3, 4}), {2, 0, -2});
  CHECK(y.shape() == Shape{4, 2, 3});
  for (int a = 0; a < 4; ++a)
    for (int b = 0; b < 2; ++b)
      for (int c = 0; c < 3; ++c) CHECK(y.data<float>()[(a * 2 + b) * 3 + c] == b * 12 + c * 4 + a);
}

TEST_CASE("permute copies even when nothing moves") {
  const Tensor x = counted({2, 3}), y = permute(x, {0, 1});
  CHECK(same_bits(x, y));
  CHECK(x.raw() != y.raw());
}

TEST_CASE("permute of a scalar and of empty tensors") {
  CHECK(permute(Tensor::scalar(3), {}).item() == 3);
  CHECK(permute(Tensor::zeros({2, 0, 3}), {2, 1, 0}).shape() == Shape{3, 0, 2});
}

TEST_CASE("channel order there and back is the identity for odd sizes") {
  for (const Shape& shape : {Shape{1, 1, 1, 1}, Shape{2, 3, 5, 7}, Shape{3, 33, 4, 17}, Shape{1, 64, 8, 8}}) {
    const Tensor x = counted(shape), y = to_channels_last(x);
    CHECK(y.shape() == Shape{shape[0], shape[2], shape[3], shape[1]});
    CHECK(same_bits(to_channels_first(y), x));
  }
}

TEST_CASE("permute keeps integers and bytes") {
  const Tensor x = counted({2, 3}).to(Dtype::u8);
  CHECK(permute(x, {1, 0}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 3, 1, 4, 2, 5});
}

TEST_CASE("flip reverses the named axes") {
  const Tensor x = counted({2, 3});
  CHECK(values(flip(x, {1})) == std::vector<double>{2, 1, 0, 5, 4, 3});
  CHECK(values(flip(x, {0, -1})) == std::vector<double>{5, 4, 3, 2, 1, 0});
  CHECK(same_bits(flip(x, {}), x));
  CHECK(flip(Tensor::zeros({0, 2}), {0}).shape() == Shape{0, 2});
}

TEST_CASE("expand repeats sizes of 1 and new leading axes") {
  const Tensor x = counted({2, 1});
  CHECK(values(expand(x, {2, 2, 3})) == std::vector<double>{0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 1});
  CHECK(values(expand(Tensor::scalar(5), {2})) == std::vector<double>{5, 5});
  CHECK(expand(counted({1, 2}), {0, 2}).numel() == 0);
}

TEST_CASE("permute, flip and expand match the reference") {
  for (const OpsCase& item : ops_cases("permute"))
    check_ops_case(item, {"x"}, [&](const auto& in) { return permute(in[0], item.attrs.at("dims")); });
  for (const OpsCase& item : ops_cases("flip"))
    check_ops_case(item, {"x"}, [&](const auto& in) { return flip(in[0], item.attrs.at("axes")); });
  for (const OpsCase& item : ops_cases("expand"))
    check_ops_case(item, {"x"}, [&](const auto& in) {
      return expand(in[0], Shape(item.attrs.at("shape").get<std::vector<std::int64_t>>()));
    });
}

TEST_CASE("gradients of permute, flip and expand") {
  const Tensor x = random_normal({2, 3, 4}, Key(1));
  check_gradients([](const auto& in) { return permute(in[0], {1, 2, 0}); }, {x});
  check_gradients([](const auto& in) { return flip(in[0], {0, 2}); }, {x});
  check_gradients(
      [](const auto& in) {
        return expand(in[0], {2, 3, 4, 2});
      },
      {random_normal({3, 1, 2}, Key(2))});
}

TEST_CASE("permute gives the same bits for every thread count") {
  const Tensor x = random_normal({5, 33, 41, 19}, Key(3));
  cpu::set_threads(1);
  const Tensor one = to_channels_last(x);
  cpu::set_threads(5);
  CHECK(same_bits(to_channels_last(x), one));
  cpu::set_threads(0);
}

TEST_CASE("permute, flip and expand name what is wrong") {
  const Tensor x = counted({2, 3});
  CHECK_THROWS_WITH_AS(permute(x, {0}), "[permute] order {0} must name each axis of [2, 3] once", ShapeError);
  CHECK_THROWS_WITH_AS(permute(x, {0, -2}), "[permute] axes {0, -2} name axis 0 twice", ShapeError);
  CHECK_THROWS_WITH_AS(permute(x, {0, 2}), "[permute] axis 2 is outside the 2 axes of the tensor",
                       ShapeError);
  CHECK_THROWS_WITH_AS(flip(x, {1, 1}), "[flip] axes {1, 1} name axis 1 twice", ShapeError);
  CHECK_THROWS_WITH_AS(to_channels_last(x), "[to_channels_last] expects [n, c, h, w], got [2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(to_channels_first(x), "[to_channels_first] expects [n, h, w, c], got [2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(
      expand(x, {3}),
      "[expand] cannot expand [2, 3] to [3]: sizes must be equal or 1, counted from the last axis",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      expand(x, {4, 3}),
      "[expand] cannot expand [2, 3] to [4, 3]: sizes must be equal or 1, counted from the last axis",
      ShapeError);
}
