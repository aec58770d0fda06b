#include "engine/ops/reduce.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::check_ops_cases;
using testing::ops_cases;
using testing::OpsCase;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

const std::vector<Axes> axes_of_rank_4 = {{},     {0},       {1},       {2},       {3},         {-1},
                                          {0, 1}, {1, 2},    {2, 3},    {0, 2},    {1, 3},      {0, 3},
                                          {3, 0}, {0, 1, 2}, {0, 2, 3}, {0, 1, 3}, {0, 1, 2, 3}};

/// Result index of every element of x, by plain index arithmetic.
std::vector<std::size_t> result_index(const Shape& shape, const Axes& axes) {
  std::vector<bool> reduced(static_cast<std::size_t>(shape.rank()), axes.empty());
  for (const int axis : axes) reduced[static_cast<std::size_t>(axis < 0 ? axis + shape.rank() : axis)] = true;
  std::vector<std::size_t> index(static_cast<std::size_t>(shape.numel()));
  for (std::size_t i = 0; i < index.size(); ++i) {
    std::size_t rest = i, step = 1;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto size = static_cast<std::size_t>(shape[axis]);
      if (!reduced[static_cast<std::size_t>(axis)]) {
        index[i] += rest % size * step;
        step *= size;
      }
      rest /= size;
    }
  }
  return index;
}

TEST_CASE("reduce: exact values and shapes") {
  const Tensor x = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(sum(x).item() == 21);
  CHECK(sum(x).shape() == Shape{});
  CHECK(sum(x, {0}).to_vector<float>() == std::vector<float>{5, 7, 9});
  CHECK(sum(x, {1}).to_vector<float>() == std::vector<float>{6, 15});
  CHECK(sum(x, {1}, true).shape() == Shape{2, 1});
  CHECK(sum(x, {}, true).shape() == Shape{1, 1});
  CHECK(mean(x, {-1}).to_vector<float>() == std::vector<float>{2, 5});
  CHECK(variance(x, {1}).to_vector<float>() == std::vector<float>{1, 1});
  CHECK(variance(x, {0}, false, false).to_vector<float>() == std::vector<float>{2.25f, 2.25f, 2.25f});
  CHECK(l2norm(Tensor::from<float>({3, 4}, {2})).item() == 5);
  CHECK(logsumexp(Tensor::from<double>({0, 0}, {2}), {0}).item() == doctest::Approx(std::log(2)));
  CHECK(sum(Tensor::scalar(4)).item() == 4);
}

TEST_CASE("reduce: every set of axes agrees with index arithmetic") {
  const Tensor x = random_normal({3, 2, 4, 5}, Key(1), 0, 1, Dtype::f64);
  const auto v = values(x);
  for (const Axes& axes : axes_of_rank_4) {
    const Tensor y = sum(x, axes), m = mean(x, axes), s = logsumexp(x, axes);
    INFO("result " << y.shape().str());
    const auto index = result_index(x.shape(), axes);
    std::vector<double> total(static_cast<std::size_t>(y.numel())), exponential(total);
    for (std::size_t i = 0; i < v.size(); ++i) {
      total[index[i]] += v[i];
      exponential[index[i]] += std::exp(v[i]);
    }
    const double count = static_cast<double>(x.numel() / y.numel());
    for (std::size_t r = 0; r < total.size(); ++r) {
      CHECK(values(y)[r] == doctest::Approx(total[r]));
      CHECK(values(m)[r] == doctest::Approx(total[r] / count));
      CHECK(values(s)[r] == doctest::Approx(std::log(exponential[r])));
    }
  }
}

TEST_CASE("reduce: gradients") {
  const Tensor x = random_normal({3, 2, 4, 5}, Key(2));
  for (const Axes& axes : axes_of_rank_4) {
    check_gradients([&](const Inputs& in) { return sum(in[0], axes); }, {x});
    check_gradients([&](const Inputs& in) { return mean(in[0], axes, true); }, {x});
    check_gradients([&](const Inputs& in) { return variance(in[0], axes); }, {x});
    check_gradients([&](const Inputs& in) { return variance(in[0], axes, true, false); }, {x});
    check_gradients([&](const Inputs& in) { return logsumexp(in[0], axes); }, {x});
  }
  check_gradients([](const Inputs& in) { return l2norm(in[0]); }, {x});
}

TEST_CASE("reduce: sums stay exact to f32 over many elements") {
  // 0.1 added a million times in float would be off by 1 percent.
  const Tensor x = Tensor::full({1000, 1000}, 0.1);
  const double exact = 1e6 * static_cast<double>(0.1f);
  CHECK(sum(x).item() == doctest::Approx(exact).epsilon(1e-7));
  CHECK(sum(sum(x, {0})).item() == doctest::Approx(exact).epsilon(1e-7));
  CHECK(variance(Tensor::full({5000}, 1e4)).item() == 0);
  const Tensor shifted = Tensor::from<float>({10001, 10002, 10003}, {3});
  CHECK(variance(shifted).item() == 1);
}

TEST_CASE("reduce: logsumexp at the ends of the range") {
  const float inf = std::numeric_limits<float>::infinity();
  CHECK(logsumexp(Tensor::from<float>({1000, 1000}, {2}), {0}).item() == doctest::Approx(1000.6931));
  CHECK(logsumexp(Tensor::from<float>({-1000, -1000}, {2}), {0}).item() == doctest::Approx(-999.3069));
  CHECK(logsumexp(Tensor::from<float>({-inf, -inf}, {2}), {0}).item() == -inf);
  CHECK(logsumexp(Tensor::from<float>({inf, 0}, {2}), {0}).item() == inf);
  Tensor x = Tensor::from<float>({-inf, 2, 2}, {3});
  x.set_requires_grad();
  backward(logsumexp(x, {0}));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0.5f, 0.5f});
}

TEST_CASE("reduce: l2norm at the origin has gradient 0") {
  Tensor x = Tensor::zeros({3});
  x.set_requires_grad();
  backward(l2norm(x));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{0, 0, 0});
}

TEST_CASE("reduce: empty tensors") {
  CHECK(sum(Tensor::empty({0})).item() == 0);
  CHECK(sum(Tensor::empty({0, 3}), {0}).to_vector<float>() == std::vector<float>{0, 0, 0});
  CHECK(sum(Tensor::empty({0, 3}), {1}).shape() == Shape{0});
  CHECK(mean(Tensor::empty({0, 3}), {1}).shape() == Shape{0});
  Tensor none = Tensor::empty({0, 3});
  none.set_requires_grad();
  backward(sum(none));
  CHECK(none.grad().shape() == Shape{0, 3});
}

TEST_CASE("reduce: bf16 accumulates in double and rounds once") {
  const Tensor x = random_uniform({300, 7}, Key(3)).to(Dtype::bf16);
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}})
    CHECK(same_bits(sum(x, axes), sum(x.to(Dtype::f64), axes).to(Dtype::f32).to(Dtype::bf16)));
}

TEST_CASE("reduce: same bits for any number of threads") {
  const Tensor x = random_normal({37, 211, 53}, Key(4));
  const auto run = [&] {
    std::vector<Tensor> results;
    for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}, Axes{2}, Axes{0, 1}, Axes{0, 2}}) {
      for (const Tensor& y : {sum(x, axes), mean(x, axes), variance(x, axes), logsumexp(x, axes)})
        results.push_back(y);
      Tensor leaf = x.clone();
      leaf.set_requires_grad();
      backward(sum(logsumexp(leaf, axes)));
      results.push_back(leaf.grad());
    }
    results.push_back(l2norm(x));
    return results;
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("reduce: errors") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(sum(x, {2}), "[sum] axis 2 is outside the 2 axes of the tensor", ShapeError);
  CHECK_THROWS_WITH_AS(sum(x, {1, -1}), "[sum] axis -1 is given twice", ShapeError);
  CHECK_THROWS_WITH_AS(mean(Tensor::empty({0, 3}), {0}), "[mean] of no elements is undefined, shape [0, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(variance(Tensor::ones({3, 1}), {1}),
                       "[variance] expects at least 2 elements per result, got 1 in shape [3, 1]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(sum(Tensor::ones({2}, Dtype::i32)),
                       "[sum] expects a floating dtype (f32, bf16, f64), got i32", ShapeError);
}

/// Axes of a reference case; null means all.
Axes axes_of(const OpsCase& item) {
  return item.attrs["axes"].is_null() ? Axes{} : item.attrs["axes"].get<Axes>();
}

TEST_CASE("reduce: reference values") {
  for (const auto& item : ops_cases("sum"))
    check_ops_case(item, {"x"},
                   [&](const Inputs& in) { return sum(in[0], axes_of(item), item.attrs["keepdim"]); });
  for (const auto& item : ops_cases("mean"))
    check_ops_case(item, {"x"},
                   [&](const Inputs& in) { return mean(in[0], axes_of(item), item.attrs["keepdim"]); });
  for (const auto& item : ops_cases("var"))
    check_ops_case(item, {"x"}, [&](const Inputs& in) {
      return variance(in[0], axes_of(item), item.attrs["keepdim"], item.attrs["unbiased"]);
    });
  for (const auto& item : ops_cases("logsumexp"))
    check_ops_case(item, {"x"},
                   [&](const Inputs& in) { return logsumexp(in[0], axes_of(item), item.attrs["keepdim"]); });
  check_ops_cases("l2norm", {"x"}, [](const Inputs& in) { return l2norm(in[0]); });
}

}  // namespace
}  // namespace noisymix
