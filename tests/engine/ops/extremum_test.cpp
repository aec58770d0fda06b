#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/reduce.h"
#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::ops_cases;
using testing::OpsCase;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

TEST_CASE("extremum: exact values") {
  const Tensor x = Tensor::from<float>({1, 5, 3, 4, 2, 6}, {2, 3});
  CHECK(max(x).item() == 6);
  CHECK(min(x).item() == 1);
  CHECK(max(x, {0}).to_vector<float>() == std::vector<float>{4, 5, 6});
  CHECK(min(x, {1}).to_vector<float>() == std::vector<float>{1, 2});
  CHECK(max(x, {1}, true).shape() == Shape{2, 1});
  CHECK(argmax(x, 1).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 2});
  CHECK(argmax(x, 0).to_vector<std::int64_t>() == std::vector<std::int64_t>{1, 0, 1});
  CHECK(argmax(x, -1, true).shape() == Shape{2, 1});
  CHECK(max(Tensor::scalar(-3)).item() == -3);
}

TEST_CASE("extremum: gradients") {
  // Distinct values far apart, so that a small step never changes the winner.
  std::vector<double> v(60);
  const auto order = permutation(Key(1), 60);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<double>(order[i]);
  const Tensor x = Tensor::from(v, {3, 4, 5});
  for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}, Axes{2}, Axes{0, 2}, Axes{0, 1}, Axes{1, 2}}) {
    check_gradients([&](const Inputs& in) { return max(in[0], axes); }, {x});
    check_gradients([&](const Inputs& in) { return min(in[0], axes, true); }, {x});
  }
}

TEST_CASE("extremum: ties go to the first element over one axis and are shared over several") {
  const auto gradient = [](const Axes& axes) {
    Tensor x = Tensor::from<float>({7, 7, 1, 7, 2, 7}, {2, 3});
    x.set_requires_grad();
    const Tensor y = max(x, axes);
    backward(y, Tensor::ones(y.shape()));
    return x.grad().to_vector<float>();
  };
  CHECK(gradient({1}) == std::vector<float>{1, 0, 0, 1, 0, 0});
  CHECK(gradient({0}) == std::vector<float>{1, 1, 0, 0, 0, 1});
  CHECK(gradient({}) == std::vector<float>{0.25f, 0.25f, 0, 0.25f, 0, 0.25f});
  CHECK(gradient({0, 1}) == std::vector<float>{0.25f, 0.25f, 0, 0.25f, 0, 0.25f});
  CHECK(argmax(Tensor::from<float>({3, 7, 7}, {3}), 0).item() == 1);
}

TEST_CASE("extremum: infinities and NaN") {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  CHECK(max(Tensor::from<float>({-inf, -inf}, {2})).item() == -inf);
  CHECK(argmax(Tensor::from<float>({-inf, -inf}, {2}), 0).item() == 0);
  CHECK(std::isnan(max(Tensor::from<float>({1, nan, 2}, {3})).item()));
  CHECK(std::isnan(min(Tensor::from<float>({1, nan, 2}, {1, 3}), {0}).to_vector<float>()[1]));
  CHECK(argmax(Tensor::from<float>({1, nan, 2, nan}, {4}), 0).item() == 1);
}

TEST_CASE("extremum: same bits for any number of threads") {
  const Tensor x = random_normal({37, 211, 53}, Key(4));
  const auto run = [&] {
    std::vector<Tensor> results;
    for (const Axes& axes : {Axes{}, Axes{0}, Axes{1}, Axes{2}, Axes{0, 2}}) {
      Tensor leaf = x.clone();
      leaf.set_requires_grad();
      const Tensor y = max(leaf, axes);
      backward(sum(y));
      results.insert(results.end(), {y.detach(), leaf.grad(), min(x, axes)});
    }
    for (int axis = 0; axis < 3; ++axis) results.push_back(argmax(x, axis));
    return results;
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("extremum: empty tensors and errors") {
  CHECK(max(Tensor::empty({0, 3}), {1}).shape() == Shape{0});
  CHECK(argmax(Tensor::empty({0, 3}), 1).shape() == Shape{0});
  CHECK_THROWS_WITH_AS(max(Tensor::empty({0, 3})), "[max] of no elements is undefined, shape [0, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(min(Tensor::empty({0, 3}), {0}), "[min] of no elements is undefined, shape [0, 3]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(argmax(Tensor::empty({3, 0}), 1), "[argmax] of no elements is undefined, shape [3, 0]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(argmax(Tensor::ones({3}), 1), "[argmax] axis 1 is outside the 1 axes of the tensor",
                       ShapeError);
}

/// Axes of a reference case; null means all.
Axes axes_of(const OpsCase& item) {
  return item.attrs["axes"].is_null() ? Axes{} : item.attrs["axes"].get<Axes>();
}

TEST_CASE("extremum: reference values") {
  for (const auto& item : ops_cases("max"))
    check_ops_case(item, {"x"},
                   [&](const Inputs& in) { return max(in[0], axes_of(item), item.attrs["keepdim"]); });
  for (const auto& item : ops_cases("min"))
    check_ops_case(item, {"x"},
                   [&](const Inputs& in) { return min(in[0], axes_of(item), item.attrs["keepdim"]); });
  for (const auto& item : ops_cases("argmax"))
    check_ops_case(item, {"x"}, [&](const Inputs& in) {
      const Axes axes = axes_of(item);
      return axes.empty() ? argmax(in[0].reshape({-1}), 0) : argmax(in[0], axes[0], item.attrs["keepdim"]);
    });
}

}  // namespace
}  // namespace noisymix
