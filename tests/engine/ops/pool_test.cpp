#include "engine/ops/pool.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::GoldenLayout;
using testing::ops_cases;
using testing::OpsCase;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

/// Distinct values at least 1 apart in random order, so that a small step never changes a maximum.
Tensor distinct(const Shape& shape, Key key) {
  const auto order = permutation(key, shape.numel());
  return Tensor::from(std::vector<double>(order.begin(), order.end()), shape);
}

TEST_CASE("pool: exact values") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6, 7, 8, 9}, {1, 3, 3, 1});
  CHECK(avg_pool2d(x, Pool2dOptions::square(2, 1)).to_vector<float>() == std::vector<float>{3, 4, 6, 7});
  CHECK(max_pool2d(x, Pool2dOptions::square(2, 1)).to_vector<float>() == std::vector<float>{5, 6, 8, 9});
  CHECK(global_avg_pool2d(x).item() == 5);
  CHECK(global_avg_pool2d(x).shape() == Shape{1, 1});
  CHECK(adaptive_max_pool2d(x, 1, 1).item() == 9);
  // Windows 0..2 and 1..3: adaptive windows overlap when the size does not divide.
  CHECK(adaptive_avg_pool2d(x, 2, 2).to_vector<float>() == std::vector<float>{3, 4, 6, 7});
  CHECK(adaptive_avg_pool2d(x, 3, 3).to_vector<float>() == x.to_vector<float>());
}

TEST_CASE("pool: padding counts in averages as told, and never wins a maximum") {
  const Tensor x = Tensor::from<float>({-1, -2, -3, -4}, {1, 2, 2, 1});
  Pool2dOptions options = Pool2dOptions::square(2, 2, 1);
  CHECK(avg_pool2d(x, options).to_vector<float>() == std::vector<float>{-0.25f, -0.5f, -0.75f, -1});
  options.count_include_pad = false;
  CHECK(avg_pool2d(x, options).to_vector<float>() == std::vector<float>{-1, -2, -3, -4});
  CHECK(max_pool2d(x, options).to_vector<float>() == std::vector<float>{-1, -2, -3, -4});
}

TEST_CASE("pool: output sizes") {
  const Tensor x = Tensor::zeros({2, 7, 9, 3});
  CHECK(max_pool2d(x, Pool2dOptions::square(3, 2)).shape() == Shape{2, 3, 4, 3});
  CHECK(max_pool2d(x, Pool2dOptions::square(3, 2, 1)).shape() == Shape{2, 4, 5, 3});
  CHECK(avg_pool2d(x, {2, 3, 1, 2, 0, 1, false, true}).shape() == Shape{2, 6, 5, 3});
  Pool2dOptions up = Pool2dOptions::square(2, 2);
  up.ceil_mode = true;
  CHECK(max_pool2d(x, up).shape() == Shape{2, 4, 5, 3});
  // With size 1, kernel 2, stride 2, padding 1 a third window would lie in the padding alone.
  up.padding_h = up.padding_w = 1;
  CHECK(max_pool2d(Tensor::zeros({1, 2, 2, 1}), up).shape() == Shape{1, 2, 2, 1});
  CHECK(adaptive_avg_pool2d(x, 5, 11).shape() == Shape{2, 5, 11, 3});
  CHECK(max_pool2d(Tensor::empty({0, 4, 4, 2}), Pool2dOptions::square(2, 2)).shape() == Shape{0, 2, 2, 2});
}

TEST_CASE("pool: gradients") {
  const Tensor x = distinct({2, 5, 4, 3}, Key(1));
  Pool2dOptions odd{3, 2, 2, 1, 1, 1, true, true};
  for (const bool count : {true, false}) {
    odd.count_include_pad = count;
    check_gradients([&](const Inputs& in) { return avg_pool2d(in[0], odd); }, {x});
  }
  check_gradients([&](const Inputs& in) { return max_pool2d(in[0], odd); }, {x});
  check_gradients([](const Inputs& in) { return avg_pool2d(in[0], Pool2dOptions::square(2, 2)); }, {x});
  check_gradients([](const Inputs& in) { return max_pool2d(in[0], Pool2dOptions::square(3, 1, 1)); }, {x});
  check_gradients([](const Inputs& in) { return adaptive_avg_pool2d(in[0], 3, 3); }, {x});
  check_gradients([](const Inputs& in) { return adaptive_max_pool2d(in[0], 3, 6); }, {x});
  check_gradients([](const Inputs& in) { return global_avg_pool2d(in[0]); }, {x});
}

TEST_CASE("pool: the first of equal elements gets the gradient, NaN passes through") {
  Tensor x = Tensor::from<float>({1, 7, 7, 7}, {1, 2, 2, 1});
  x.set_requires_grad();
  const Tensor y = max_pool2d(x, Pool2dOptions::square(2, 2));
  backward(y, Tensor::ones(y.shape()));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 1, 0, 0});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(std::isnan(
      max_pool2d(Tensor::from<float>({1, nan, 7, 2}, {1, 2, 2, 1}), Pool2dOptions::square(2, 2)).item()));
}

TEST_CASE("pool: bf16 accumulates in float") {
  const Tensor x = random_normal({2, 6, 6, 5}, Key(2)).to(Dtype::bf16), wide = x.to(Dtype::f32);
  const auto options = Pool2dOptions::square(3, 2, 1);
  CHECK(same_bits(avg_pool2d(x, options), avg_pool2d(wide, options).to(Dtype::bf16)));
  CHECK(same_bits(max_pool2d(x, options), max_pool2d(wide, options).to(Dtype::bf16)));
}

TEST_CASE("pool: same bits for any number of threads") {
  const Tensor x = random_normal({3, 33, 31, 21}, Key(3));
  const auto options = Pool2dOptions::square(3, 2, 1);
  const std::vector<std::function<Tensor(const Tensor&)>> functions = {
      [&](const Tensor& t) { return avg_pool2d(t, options); },
      [&](const Tensor& t) { return max_pool2d(t, options); },
      [](const Tensor& t) { return adaptive_avg_pool2d(t, 7, 5); },
      [](const Tensor& t) { return global_avg_pool2d(t); }};
  const auto run = [&] {
    std::vector<Tensor> results;
    for (const auto& function : functions) {
      Tensor leaf = x.clone();
      leaf.set_requires_grad();
      const Tensor y = function(leaf);
      backward(y, random_normal(y.shape(), Key(4)));
      results.insert(results.end(), {y.detach(), leaf.grad()});
    }
    return results;
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("pool: errors") {
  const Tensor x = Tensor::ones({1, 4, 4, 2});
  CHECK_THROWS_WITH_AS(avg_pool2d(Tensor::ones({4, 4, 2}), {}),
                       "[avg_pool2d] expects x [n, h, w, c], got shape [4, 4, 2]", ShapeError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, Pool2dOptions::square(2, 0)),
                       "[max_pool2d] expects positive kernel and stride, got 2 and 0", ShapeError);
  CHECK_THROWS_WITH_AS(max_pool2d(x, Pool2dOptions::square(2, 2, 2)),
                       "[max_pool2d] expects padding between 0 and half the kernel (2), got 2", ShapeError);
  CHECK_THROWS_WITH_AS(avg_pool2d(x, Pool2dOptions::square(5, 1)),
                       "[avg_pool2d] window of 5 does not fit an input of 4 with padding 0", ShapeError);
  CHECK_THROWS_WITH_AS(adaptive_avg_pool2d(x, 0, 3),
                       "[adaptive_avg_pool2d] expects a positive output size, got 0 x 3", ShapeError);
  CHECK_THROWS_WITH_AS(global_avg_pool2d(Tensor::empty({2, 0, 3, 4})),
                       "[global_avg_pool2d] expects x [n, h, w, c] with h, w > 0, got shape [2, 0, 3, 4]",
                       ShapeError);
}

Pool2dOptions options_of(const OpsCase& item) {
  auto options = Pool2dOptions::square(item.attrs["kernel"], item.attrs["stride"], item.attrs["padding"]);
  options.ceil_mode = item.attrs["ceil_mode"];
  options.count_include_pad = item.attrs.value("count_include_pad", true);
  return options;
}

TEST_CASE("pool: reference values") {
  const auto check = [](const OpsCase& item, const testing::OpFunction& function) {
    check_ops_case(item, {"x"}, function, GoldenLayout::channels_last);
  };
  for (const auto& item : ops_cases("avg_pool2d"))
    check(item, [&](const Inputs& in) { return avg_pool2d(in[0], options_of(item)); });
  for (const auto& item : ops_cases("max_pool2d"))
    check(item, [&](const Inputs& in) { return max_pool2d(in[0], options_of(item)); });
  for (const auto& item : ops_cases("adaptive_avg_pool2d"))
    check(item, [&](const Inputs& in) {
      return adaptive_avg_pool2d(in[0], item.attrs["output"][0], item.attrs["output"][1]);
    });
  for (const auto& item : ops_cases("adaptive_max_pool2d"))
    check(item, [&](const Inputs& in) {
      return adaptive_max_pool2d(in[0], item.attrs["output"][0], item.attrs["output"][1]);
    });
}

}  // namespace
}  // namespace noisymix
