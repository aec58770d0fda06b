// AugMax against a plain computation in f64: mixture, gradient by hand, sign steps.
#include "augment/perturbations/augmax.h"

#include <doctest/doctest.h>

#include <array>
#include <cmath>

#include "engine/ops/elementwise.h"
#include "engine/ops/matmul.h"
#include "engine/ops/random.h"

using namespace noisymix;

namespace {

constexpr std::int64_t kCount = 5, kSide = 2, kClasses = 3, kPixels = kSide * kSide * 3;
constexpr std::size_t kChains = 3;

struct Problem {
  Tensor clean = random_normal({kCount, kSide, kSide, 3}, Key(1), 0, 1, Dtype::f64);
  std::vector<Tensor> chains;
  Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1}, {kCount});
  Tensor weight = random_normal({kPixels, kClasses}, Key(2), 0, 1, Dtype::f64);

  Problem() {
    for (std::size_t i = 0; i < kChains; ++i)
      chains.push_back(
          random_normal(clean.shape(), Key(3).child(static_cast<std::int64_t>(i)), 0, 1, Dtype::f64));
  }
  Tensor logits(const Tensor& x) const { return matmul(x.reshape({x.dim(0), kPixels}), weight); }
};

using Weights = std::array<double, kChains>;

Weights softmax_of(const Weights& q) {
  double total = 0;
  Weights w{};
  for (std::size_t i = 0; i < kChains; ++i) total += w[i] = std::exp(q[i]);
  for (double& value : w) value /= total;
  return w;
}

std::vector<double> mixed(const std::vector<double>& clean, const std::vector<std::vector<double>>& chains,
                          double m, const Weights& q) {
  const Weights w = softmax_of(q);
  std::vector<double> x(clean.size());
  for (std::size_t p = 0; p < x.size(); ++p) {
    x[p] = (1 - m) * clean[p];
    for (std::size_t i = 0; i < kChains; ++i) x[p] += m * w[i] * chains[i][p];
  }
  return x;
}

/// Cross-entropy of one image.
double loss_of(const std::vector<double>& x, const std::vector<double>& weight, std::int64_t label) {
  std::array<double, kClasses> f{};
  for (std::size_t p = 0; p < x.size(); ++p)
    for (std::size_t k = 0; k < kClasses; ++k) f[k] += x[p] * weight[p * kClasses + k];
  double total = 0;
  for (const double v : f) total += std::exp(v);
  return std::log(total) - f[static_cast<std::size_t>(label)];
}

std::vector<double> image(const Tensor& images, std::int64_t i) {
  return images.rows(i, i + 1).to_vector<double>();
}

/// The same by finite differences and plain loops.
std::vector<double> by_hand(const Problem& problem, std::int64_t i, int iterations, double step, Key key) {
  const auto clean = image(problem.clean, i);
  std::vector<std::vector<double>> chains;
  for (const Tensor& chain : problem.chains) chains.push_back(image(chain, i));
  const auto weight = problem.weight.to_vector<double>();
  const std::int64_t label = problem.labels.to_vector<std::int64_t>()[static_cast<std::size_t>(i)];
  double m = key.child(i).uniform(0);
  Weights q{};
  for (std::size_t j = 0; j < kChains; ++j) q[j] = key.child(i).uniform(j + 1);
  const auto at = [&](double share, const Weights& logits) {
    return loss_of(mixed(clean, chains, share, logits), weight, label);
  };
  const auto sign_of = [](double v) { return v > 0 ? 1.0 : v < 0 ? -1.0 : 0.0; };
  for (int t = 0; t < iterations; ++t) {
    constexpr double h = 1e-6;
    const double dm = at(m + h, q) - at(m - h, q);
    Weights next = q;
    for (std::size_t j = 0; j < kChains; ++j) {
      Weights up = q, down = q;
      up[j] += h;
      down[j] -= h;
      next[j] += step * sign_of(at(m, up) - at(m, down));
    }
    m = std::min(1.0, std::max(0.0, m + step * sign_of(dm)));
    q = next;
  }
  return mixed(clean, chains, m, q);
}

}  // namespace

TEST_CASE("the mixture follows the signs of the gradient") {
  const Problem problem;
  const auto logits_of = [&](const Tensor& x) { return problem.logits(x); };
  for (const int iterations : {0, 1, 4, 10}) {
    CAPTURE(iterations);
    const Tensor x =
        augmax(problem.clean, problem.chains, problem.labels, logits_of, {.iterations = iterations}, Key(7));
    REQUIRE(x.shape() == problem.clean.shape());
    for (std::int64_t i = 0; i < kCount; ++i) {
      const auto expected = by_hand(problem, i, iterations, 0.1, Key(7));
      const auto got = image(x, i);
      for (std::size_t p = 0; p < got.size(); ++p)
        CHECK(got[p] == doctest::Approx(expected[p]).epsilon(1e-9));
    }
  }
}

TEST_CASE("friendly images stop at their first mistake") {
  const Problem problem;
  // Always predicts class 2, so images of classes 0 and 1 are wrong from the start and take the first step as
  // their last look: they never move.
  const auto wrong = [&](const Tensor& x) {
    const Tensor bias = Tensor::from(std::vector<double>{0, 0, 1000}, {1, kClasses});
    return add(problem.logits(x), bias);
  };
  const Tensor start =
      augmax(problem.clean, problem.chains, problem.labels, wrong, {.iterations = 0}, Key(8));
  const Tensor stopped =
      augmax(problem.clean, problem.chains, problem.labels, wrong, {.iterations = 5, .friendly = 1}, Key(8));
  for (const std::int64_t i : {0, 1, 3, 4}) CHECK(image(start, i) == image(stopped, i));
  const Tensor patient =
      augmax(problem.clean, problem.chains, problem.labels, wrong, {.iterations = 5, .friendly = 3}, Key(8));
  const Tensor two = augmax(problem.clean, problem.chains, problem.labels, wrong, {.iterations = 2}, Key(8));
  for (const std::int64_t i : {0, 1, 3, 4}) CHECK(image(patient, i) == image(two, i));
}

TEST_CASE("settings out of range are refused") {
  const Problem problem;
  const auto logits_of = [&](const Tensor& x) { return problem.logits(x); };
  CHECK_THROWS_AS(augmax(problem.clean, {}, problem.labels, logits_of, {}, Key(0)), ConfigError);
  CHECK_THROWS_AS(augmax(problem.clean, problem.chains, problem.labels, logits_of, {.step = -1}, Key(0)),
                  ConfigError);
}
