#include "engine/ops/slice.h"

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

TEST_CASE("slice takes ranges with steps; missing ranges mean the whole axis") {
  const Tensor x = counted({3, 4});
  CHECK(values(slice(x, {{1, 3}})) == std::vector<double>{4, 5, 6, 7, 8, 9, 10, 11});
  CHECK(values(slice(x, {{0, 3, 2}, {1, 4, 2}})) == std::vector<double>{1, 3, 9, 11});
  CHECK(values(slice(x, {{2, 3}, {0, 4, 3}})) == std::vector<double>{8, 11});
  CHECK(same_bits(slice(x, {}), x));
}

TEST_CASE("slice may be empty and may step beyond the end") {
  const Tensor x = counted({3, 4});
  CHECK(slice(x, {{1, 1}}).shape() == Shape{0, 4});
  CHECK(slice(x, {{3, 3}}).shape() == Shape{0, 4});
  CHECK(values(slice(x, {{1, 3, INT64_MAX}, {3, 4}})) == std::vector<double>{7});
}

TEST_CASE("pad2d continues an image in three ways") {
  const Tensor x = counted({1, 2, 3, 1});  // 0 1 2 / 3 4 5
  CHECK(values(pad2d(x, {1, 0, 0, 1}, PadMode::constant, 9)) ==
        std::vector<double>{9, 0, 1, 2, 9, 3, 4, 5, 9, 9, 9, 9});
  CHECK(values(pad2d(x, {2, 1, 0, 1}, PadMode::reflect)) ==
        std::vector<double>{2, 1, 0, 1, 2, 1, 5, 4, 3, 4, 5, 4, 2, 1, 0, 1, 2, 1});
  CHECK(values(pad2d(x, {1, 1, 1, 0}, PadMode::replicate)) ==
        std::vector<double>{0, 0, 1, 2, 2, 0, 0, 1, 2, 2, 3, 3, 4, 5, 5});
  CHECK(same_bits(pad2d(x, {}), x));
}

TEST_CASE("pad2d keeps channels together and accepts bytes and empty batches") {
  const Tensor x = Tensor::from<std::uint8_t>({1, 2, 3}, {1, 1, 1, 3});
  CHECK(pad2d(x, {1, 0, 0, 0}).to_vector<std::uint8_t>() == std::vector<std::uint8_t>{0, 0, 0, 1, 2, 3});
  CHECK(pad2d(Tensor::zeros({0, 2, 2, 3}), {1, 1, 1, 1}).shape() == Shape{0, 4, 4, 3});
  CHECK(values(pad2d(Tensor::zeros({1, 0, 1, 1}), {0, 0, 1, 0}, PadMode::constant, 2)) ==
        std::vector<double>{2});
}

TEST_CASE("slice and pad2d match the reference") {
  for (const OpsCase& item : ops_cases("slice"))
    check_ops_case(item, {"x"}, [&](const auto& in) {
      std::vector<Range> ranges;
      for (const auto& range : item.attrs.at("slices")) ranges.push_back({range[0], range[1], range[2]});
      return slice(in[0], ranges);
    });
  const std::map<std::string, PadMode> modes{
      {"constant", PadMode::constant}, {"reflect", PadMode::reflect}, {"replicate", PadMode::replicate}};
  for (const OpsCase& item : ops_cases("pad")) {
    const auto& border = item.attrs.at("left_right_top_bottom");
    check_ops_case(
        item, {"x"},
        [&](const auto& in) {
          return pad2d(in[0], {border[0], border[1], border[2], border[3]}, modes.at(item.attrs.at("mode")),
                       item.attrs.value("value", 0.0));
        },
        GoldenLayout::channels_last);
  }
}

TEST_CASE("gradients of slice and pad2d") {
  check_gradients(
      [](const auto& in) {
        return slice(in[0], {{1, 3}, {0, 4, 3}});
      },
      {random_normal({3, 4, 2}, Key(1))});
  const Tensor x = random_normal({2, 3, 4, 2}, Key(2));
  for (const PadMode mode : {PadMode::constant, PadMode::reflect, PadMode::replicate})
    check_gradients([mode](const auto& in) { return pad2d(in[0], {3, 1, 0, 2}, mode, 0.5); }, {x});
}

TEST_CASE("pad2d adds bf16 gradients in float") {
  Tensor x = Tensor::ones({1, 1, 1, 1}, Dtype::bf16);
  x.set_requires_grad();
  const Tensor y = pad2d(x, {150, 149, 0, 0}, PadMode::replicate);
  backward(y, Tensor::ones(y.shape(), Dtype::bf16));
  CHECK(x.grad().item() == 300);  // sums rounded to bf16 on the way would stop at 256
}

TEST_CASE("slice and pad2d name what is wrong") {
  const Tensor x = counted({2, 3});
  CHECK_THROWS_WITH_AS(slice(x, {{0, 2}, {2, 4}}),
                       "[slice] range 2..4 is outside axis 1 of [2, 3], expected 0 <= start <= stop <= 3",
                       ShapeError);
  CHECK_THROWS_WITH_AS(slice(x, {{1, 0}}),
                       "[slice] range 1..0 is outside axis 0 of [2, 3], expected 0 <= start <= stop <= 2",
                       ShapeError);
  CHECK_THROWS_WITH_AS(slice(x, {{0, 2, 0}}), "[slice] step 0 along axis 0, expected at least 1", ShapeError);
  CHECK_THROWS_WITH_AS(slice(x, {{0, 1}, {0, 1}, {0, 1}}), "[slice] got 3 ranges for shape [2, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(pad2d(x, {}), "[pad2d] expects [n, h, w, c], got [2, 3]", ShapeError);
  const Tensor image = counted({1, 2, 3, 1});
  CHECK_THROWS_WITH_AS(
      pad2d(image, {-1, 0, 0, 0}),
      "[pad2d] borders must not be negative, got left -1, right 0, top 0, bottom 0; use slice to crop",
      ShapeError);
  CHECK_THROWS_WITH_AS(
      pad2d(image, {0, 0, 2, 0}, PadMode::reflect),
      "[pad2d] reflected borders must be smaller than the image [1, 2, 3, 1], got left 0, right 0, "
      "top 2, bottom 0",
      ShapeError);
  CHECK_THROWS_WITH_AS(pad2d(Tensor::zeros({1, 0, 3, 1}), {0, 0, 0, 0}, PadMode::replicate),
                       "[pad2d] cannot continue the empty image [1, 0, 3, 1]", ShapeError);
}
