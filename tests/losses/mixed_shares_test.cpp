// Losses with a share for each picture against sums written out in f64, finite differences and limits.
#include <cmath>

#include "engine/ops/random.h"
#include "losses/losses.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const std::vector<std::int64_t> kLabels = {2, 0, 3, 3, 1};
const std::vector<std::int64_t> kPartners = {3, 4, 0, 2, 1};
const std::vector<double> kShares = {0.25, 1, 0, 0.5, 0.9};
constexpr std::size_t kRows = 5, kClasses = 4;

Tensor labels() {
  return Tensor::from(kLabels, {5});
}
Tensor shares() {
  return Tensor::from(kShares, {5});
}
Tensor logits(Dtype dtype = Dtype::f64) {
  return random_normal({5, 4}, Key(31), 0, 2, dtype);
}

double target(std::size_t row, std::size_t k) {
  const auto label = static_cast<std::size_t>(kLabels[row]);
  const auto partner = static_cast<std::size_t>(kLabels[static_cast<std::size_t>(kPartners[row])]);
  return kShares[row] * (label == k) + (1 - kShares[row]) * (partner == k);
}

/// Probability of a class.
double probability(const std::vector<double>& x, std::size_t row, std::size_t k) {
  double sum = 0;
  for (std::size_t j = 0; j < kClasses; ++j) sum += std::exp(x[row * kClasses + j]);
  return std::exp(x[row * kClasses + k]) / sum;
}

}  // namespace

TEST_CASE("cross-entropy with a share for each row equals that with soft labels") {
  const auto x = values(logits());
  for (const double smoothing : {0.0, 0.1}) {
    double expected = 0;
    for (std::size_t i = 0; i < kRows; ++i)
      for (std::size_t k = 0; k < kClasses; ++k) {
        const double soft = (1 - smoothing) * target(i, k) + smoothing / kClasses;
        expected -= soft * std::log(probability(x, i, k)) / kRows;
      }
    const auto loss = soft_mixed_cross_entropy(logits(), labels(), shares(), kPartners, smoothing);
    CHECK(loss.rank() == 0);
    CHECK(loss.item() == doctest::Approx(expected).epsilon(1e-12));
    const auto single =
        soft_mixed_cross_entropy(logits(Dtype::f32), labels(), shares().to(Dtype::f32), kPartners, smoothing);
    CHECK(single.dtype() == Dtype::f32);
    CHECK(single.item() == doctest::Approx(expected).epsilon(1e-6));
  }
}

TEST_CASE("equal shares give the cross-entropy with one lambda") {
  const Tensor equal = Tensor::full({5}, 0.3, Dtype::f64);
  CHECK(soft_mixed_cross_entropy(logits(), labels(), equal, kPartners, 0.1).item() ==
        doctest::Approx(mixed_cross_entropy(logits(), labels(), 0.3, kPartners, 0.1).item()).epsilon(1e-12));
}

TEST_CASE("binary cross-entropy of softmax and soft labels") {
  const auto x = values(logits());
  double expected = 0;
  for (std::size_t i = 0; i < kRows; ++i)
    for (std::size_t k = 0; k < kClasses; ++k) {
      const double p = probability(x, i, k), t = target(i, k);
      expected -= (t * std::log(p) + (1 - t) * std::log(1 - p)) / (kRows * kClasses);
    }
  CHECK(soft_mixed_binary_cross_entropy(logits(), labels(), shares(), kPartners).item() ==
        doctest::Approx(expected).epsilon(1e-12));
  CHECK(soft_mixed_binary_cross_entropy(logits(Dtype::f32), labels(), shares(), kPartners).item() ==
        doctest::Approx(expected).epsilon(1e-6));
}

TEST_CASE("gradients of both losses") {
  check_gradients(
      [](const std::vector<Tensor>& in) {
        return soft_mixed_cross_entropy(in[0], labels(), shares(), kPartners, 0.1);
      },
      {logits()});
  check_gradients(
      [](const std::vector<Tensor>& in) {
        return soft_mixed_binary_cross_entropy(in[0], labels(), shares(), kPartners);
      },
      {logits()});
}

TEST_CASE("binary cross-entropy keeps its gradient when the network is sure and wrong") {
  // p of class 0 is 1 up to e^-30, which single precision cannot tell from 1; the label is class 1.
  Tensor x = Tensor::from(std::vector<float>{30, 0, 0}, {1, 3}).set_requires_grad();
  const Tensor label = Tensor::from(std::vector<std::int64_t>{1}, {1});
  const Tensor loss = soft_mixed_binary_cross_entropy(x, label, Tensor::ones({1}), {0});
  backward(loss);
  // -(log p_1 + log(1 - p_0) + log(1 - p_2)) / 3 with 1 - p_0 = 2 e^-30: derivatives -1/3 (-1 - 1) and so on.
  CHECK(loss.item() == doctest::Approx((60 - std::log(2.0)) / 3).epsilon(1e-5));
  const auto gradient = values(x.grad());
  CHECK(gradient[0] == doctest::Approx(2.0 / 3).epsilon(1e-4));
  CHECK(gradient[1] == doctest::Approx(-0.5).epsilon(1e-4));
  CHECK(gradient[2] == doctest::Approx(-1.0 / 6).epsilon(1e-4));

  // Beyond what a float can hold, the loss is large but finite.
  const Tensor far = Tensor::from(std::vector<float>{300, 0, 0}, {1, 3});
  CHECK(std::isfinite(soft_mixed_binary_cross_entropy(far, label, Tensor::ones({1}), {0}).item()));
}

TEST_CASE("wrong sizes are named") {
  for (const auto& loss : {+[](const Tensor&x, const Tensor&s, const std::vector<std::int64_t>&p) {
                             return soft_mixed_cross_entropy(x, labels(), s, p);
                           },
                           +[](const Tensor&x, const Tensor&s, const std::vector<std::int64_t>&p) {
                             return soft_mixed_binary_cross_entropy(x, labels(), s, p);
                           }}) {
    CHECK_THROWS_AS(loss(logits(), shares(), {0, 1}), ShapeError);
    CHECK_THROWS_AS(loss(logits(), Tensor::ones({4}, Dtype::f64), kPartners), ShapeError);
    CHECK_THROWS_AS(loss(logits().reshape({20}), shares(), kPartners), ShapeError);
    CHECK_THROWS_AS(loss(logits(), shares(), {0, 1, 2, 3, 5}), ShapeError);
  }
}
