#include "engine/ops/softmax.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::ops_cases;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

TEST_CASE("softmax: exact values") {
  const Tensor y = softmax(Tensor::from<double>({0, std::log(3), 5, 5}, {2, 2}));
  CHECK(values(y)[0] == doctest::Approx(0.25));
  CHECK(values(y)[1] == doctest::Approx(0.75));
  CHECK(values(y)[2] == 0.5);
  CHECK(values(y)[3] == 0.5);
  const Tensor l = log_softmax(Tensor::from<double>({0, std::log(3), 5, 5}, {2, 2}));
  CHECK(values(l)[0] == doctest::Approx(std::log(0.25)));
  CHECK(values(l)[3] == doctest::Approx(std::log(0.5)));
}

TEST_CASE("softmax: every axis sums to 1 and agrees with the logarithm") {
  const Tensor x = random_normal({3, 4, 5}, Key(1), 0, 3, Dtype::f64);
  for (int axis = -3; axis < 3; ++axis) {
    const Tensor y = softmax(x, axis);
    for (const double total : values(sum(y, {axis}))) CHECK(total == doctest::Approx(1));
    CHECK(relative_error(log_softmax(x, axis), log(y)) < 1e-14);
  }
}

TEST_CASE("softmax: gradients") {
  const Tensor x = random_normal({3, 4, 5}, Key(2));
  for (int axis = 0; axis < 3; ++axis) {
    check_gradients([&](const Inputs& in) { return softmax(in[0], axis); }, {x});
    check_gradients([&](const Inputs& in) { return log_softmax(in[0], axis); }, {x});
  }
}

TEST_CASE("softmax: large logits, masked logits") {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = Tensor::from<float>({1e4f, 0, -1e4f, 3, -inf, 3}, {2, 3});
  CHECK(softmax(x).to_vector<float>() == std::vector<float>{1, 0, 0, 0.5f, 0, 0.5f});
  const auto l = log_softmax(x).to_vector<float>();
  CHECK(l[0] == 0);
  CHECK(l[1] == -1e4f);
  CHECK(l[4] == -inf);
}

TEST_CASE("softmax: bf16 rounds once") {
  const Tensor x = random_normal({5, 9}, Key(3)).to(Dtype::bf16);
  CHECK(same_bits(softmax(x), softmax(x.to(Dtype::f32)).to(Dtype::bf16)));
  CHECK(same_bits(log_softmax(x), log_softmax(x.to(Dtype::f32)).to(Dtype::bf16)));
}

TEST_CASE("softmax: same bits for any number of threads") {
  const Tensor x = random_normal({301, 47, 3}, Key(4));
  const auto run = [&] {
    std::vector<Tensor> results;
    for (int axis = 0; axis < 3; ++axis) {
      Tensor leaf = x.clone();
      leaf.set_requires_grad();
      const Tensor y = softmax(leaf, axis), l = log_softmax(leaf, axis);
      backward(add(y, l), x);
      results.insert(results.end(), {y.detach(), l.detach(), leaf.grad()});
    }
    return results;
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("softmax: empty tensors and errors") {
  CHECK(softmax(Tensor::empty({0, 3})).shape() == Shape{0, 3});
  CHECK(softmax(Tensor::empty({3, 0})).shape() == Shape{3, 0});
  CHECK_THROWS_WITH_AS(softmax(Tensor::ones({2, 3}), 2),
                       "[softmax] axis 2 is outside the 2 axes of the tensor", ShapeError);
  CHECK_THROWS_WITH_AS(log_softmax(Tensor::scalar(1)),
                       "[log_softmax] axis -1 is outside the 0 axes of the tensor", ShapeError);
  CHECK_THROWS_WITH_AS(softmax(Tensor::ones({2}, Dtype::i64)),
                       "[softmax] expects a floating dtype (f32, bf16, f64), got i64", ShapeError);
}

TEST_CASE("softmax: reference values") {
  for (const auto& item : ops_cases("softmax"))
    check_ops_case(item, {"x"}, [&](const Inputs& in) { return softmax(in[0], item.attrs["dim"]); });
  for (const auto& item : ops_cases("log_softmax"))
    check_ops_case(item, {"x"}, [&](const Inputs& in) { return log_softmax(in[0], item.attrs["dim"]); });
}

}  // namespace
}  // namespace noisymix
