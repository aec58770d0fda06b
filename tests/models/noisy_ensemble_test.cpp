// Averages over noisy copies: what is averaged, and what the noise depends on.
#include "models/noisy_ensemble.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/random.h"
#include "engine/ops/reduce.h"

using namespace noisymix;

namespace {

std::unique_ptr<Model> points_network() {
  ModelOptions options;
  options.classes = 3;
  return make_model("toy-nfm", options, Key(1));
}

Tensor points(std::int64_t count) {
  return random_normal({count, 2}, Key(2));
}

Tensor answers(Model& model, const Tensor& x) {
  const NoGrad unrecorded;
  return model(x, Context::evaluation());
}

}  // namespace

TEST_CASE("without noise an ensemble is the network") {
  const auto network = points_network();
  const auto plain = answers(*network, points(6)).to_vector<float>();
  for (const bool probabilities : {false, true}) {
    NoisyEnsemble ensemble(points_network(),
                           {.copies = 4, .noise = 0, .average_probabilities = probabilities});
    const auto got = answers(ensemble, points(6)).to_vector<float>();
    for (std::size_t i = 0; i < got.size(); i += 3) {
      // log-probabilities equal logits up to a constant per row
      CHECK(got[i] - got[i + 1] == doctest::Approx(plain[i] - plain[i + 1]).epsilon(1e-4));
      CHECK(got[i] - got[i + 2] == doctest::Approx(plain[i] - plain[i + 2]).epsilon(1e-4));
    }
  }
}

TEST_CASE("probabilities of many copies approach their expectation") {
  NoisyEnsemble ensemble(points_network(), {.copies = 400, .noise = 0.5});
  const auto network = points_network();
  const auto got = answers(ensemble, points(1)).to_vector<float>();
  const Tensor noisy = add(points(1), mul(random_normal({20000, 2}, Key(9)), 0.5));
  const auto logits = answers(*network, noisy).to_vector<float>();
  double expected[3] = {};
  for (std::size_t i = 0; i < logits.size(); i += 3) {
    double p[3], total = 0;
    for (int k = 0; k < 3; ++k)
      total += p[k] = std::exp(static_cast<double>(logits[i + static_cast<std::size_t>(k)]));
    for (int k = 0; k < 3; ++k) expected[k] += p[k] / total / 20000;
  }
  double sum = 0;
  for (int k = 0; k < 3; ++k) {
    const double p = std::exp(static_cast<double>(got[static_cast<std::size_t>(k)]));
    CHECK(p == doctest::Approx(expected[k]).epsilon(0.05));
    sum += p;
  }
  CHECK(sum == doctest::Approx(1).epsilon(1e-5));
}

TEST_CASE("an answer depends on the image alone") {
  NoisyEnsemble ensemble(points_network(), {});
  const auto all = answers(ensemble, points(5)).to_vector<float>();
  for (std::int64_t i = 0; i < 5; ++i) {
    const auto one = answers(ensemble, points(5).rows(i, i + 1)).to_vector<float>();
    for (std::size_t k = 0; k < 3; ++k) CHECK(one[k] == all[static_cast<std::size_t>(i) * 3 + k]);
  }
}

TEST_CASE("training and state are the network's") {
  const auto network = points_network();
  NoisyEnsemble ensemble(points_network(), {});
  Context training;
  training.training = true;
  CHECK(ensemble(points(4), training).to_vector<float>() ==
        (*network)(points(4), training).to_vector<float>());
  const auto own = network->state(), wrapped = ensemble.state();
  REQUIRE(own.size() == wrapped.size());
  for (std::size_t i = 0; i < own.size(); ++i) CHECK(own[i].first == wrapped[i].first);
  CHECK(ensemble.stages() == network->stages());
  CHECK(ensemble.parameter_count() == network->parameter_count());
}

TEST_CASE("attacks see the gradient of the average") {
  NoisyEnsemble ensemble(points_network(), {.copies = 3, .noise = 0.2});
  const auto loss = [&](const Tensor& x) { return sum(square(ensemble(x, Context::evaluation()))); };
  const Tensor gradient = input_gradient(loss, points(2));
  double largest = 0;
  for (const float g : gradient.to_vector<float>())
    largest = std::max(largest, std::abs(static_cast<double>(g)));
  CHECK(largest > 0);
  CHECK(std::isfinite(largest));
}

TEST_CASE("settings out of range are refused") {
  CHECK_THROWS_AS(NoisyEnsemble(points_network(), {.copies = 0}), ConfigError);
  CHECK_THROWS_AS(NoisyEnsemble(points_network(), {.noise = -0.1}), ConfigError);
}
