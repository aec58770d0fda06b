// Schemes whose views are made during the step, against the same steps written out: DiGN, RSE, PGD, TRADES,
// AugMax, free.
#include "tools/scheme_perturbation.h"

#include <doctest/doctest.h>

#include <cmath>

#include "augment/attacks.h"
#include "augment/perturbations/augmax.h"
#include "augment/perturbations/gaussian.h"
#include "engine/autograd.h"
#include "engine/ops/concat.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/jensen_shannon.h"
#include "engine/ops/random.h"
#include "losses/losses.h"
#include "tests/tools/small_network.h"
#include "tools/scheme.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr std::int64_t kBatch = 4;

Batch pictures(int views) {
  return four_pictures(random_uniform({views * kBatch, 32, 32, 3}, Key(2), 0, 1, Dtype::f64), views);
}

Config unit_range() {
  Config config;
  config.data.normalization = "none";
  return config;
}

/// KL(softmax(a) || softmax(b)) averaged over rows, in plain loops.
double divergence(const Tensor& a, const Tensor& b) {
  const auto x = a.to_vector<double>(), y = b.to_vector<double>();
  const std::size_t classes = 10, rows = x.size() / classes;
  double total = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    double sx = 0, sy = 0;
    for (std::size_t k = 0; k < classes; ++k) {
      sx += std::exp(x[i * classes + k]);
      sy += std::exp(y[i * classes + k]);
    }
    for (std::size_t k = 0; k < classes; ++k) {
      const double p = std::exp(x[i * classes + k]) / sx, q = std::exp(y[i * classes + k]) / sy;
      total += p * (std::log(p) - std::log(q));
    }
  }
  return total / static_cast<double>(rows);
}

StepLoss step_of(const Config& config, Model& model, const Batch& batch, Key key) {
  return make_objective(config)->loss(model, batch, key);
}

Config dign() {
  Config config = unit_range();
  config.perturb.kind = "gaussian";
  config.perturb.copies = 3;
  config.perturb.noise = 0.2;
  config.perturb.consistency = "kl";
  config.perturb.consistency_weight = 0.2;
  config.objective.separate_forwards = true;
  return config;
}

GaussianOptions dign_noise(int copies) {
  return {.noise = 0.2, .diverse = true, .copies = copies};
}

}  // namespace

TEST_CASE(
    "DiGN is cross-entropy plus the mean divergence from each noisy copy, every view in a forward pass of "
    "its own") {
  const Key key(3);
  const Batch batch = pictures(1);
  const auto model = small_network(), reference = small_network();
  const StepLoss result = step_of(dign(), *model, batch, key);

  const Tensor copies = gaussian_copies(batch.images, dign_noise(3), key.child("perturb"));
  const Tensor clean = train_logits(*reference, batch.images);
  double consistency = 0;
  for (std::int64_t k = 0; k < 3; ++k)
    consistency += divergence(clean, train_logits(*reference, copies.rows(k * kBatch, (k + 1) * kBatch))) / 3;
  const double ce = cross_entropy(clean, batch.labels).item();
  CHECK(consistency > 0);
  CHECK(result.loss.item() == doctest::Approx(ce + 0.2 * consistency).epsilon(1e-9));
  const StepStats stats = stats_of(result);
  CHECK(stats.cross_entropy == doctest::Approx(ce).epsilon(1e-9));
  CHECK(stats.consistency == doctest::Approx(0.2 * consistency).epsilon(1e-7));
  // Running statistics were updated once per view, 1 + 3 times.
  const auto own = model->state(), expected = reference->state();
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!own[i].first.ends_with("num_batches_tracked")) continue;
    CHECK(own[i].second.item() == 4);
    CHECK(expected[i].second.item() == 4);
  }
}

TEST_CASE("DiGN-JS compares the clean view with two copies by Jensen-Shannon") {
  const Key key(4);
  Config config = dign();
  config.perturb.copies = 2;
  config.perturb.consistency = "jensen_shannon";
  const Batch batch = pictures(1);
  const auto model = small_network(), reference = small_network();
  const StepLoss result = step_of(config, *model, batch, key);
  const Tensor copies = gaussian_copies(batch.images, dign_noise(2), key.child("perturb"));
  std::vector<Tensor> logits = {train_logits(*reference, batch.images)};
  for (std::int64_t k = 0; k < 2; ++k)
    logits.push_back(train_logits(*reference, copies.rows(k * kBatch, (k + 1) * kBatch)));
  const double expected =
      cross_entropy(logits[0], batch.labels).item() + 0.2 * jensen_shannon(concat(logits), 3, 1e-14).item();
  CHECK(result.loss.item() == doctest::Approx(expected).epsilon(1e-9));
}

TEST_CASE("DiGN with AugMix has both consistencies, each over its own views") {
  const Key key(5);
  Config config = dign();
  config.objective.consistency = "jensen_shannon";
  config.objective.consistency_weight = 12;
  config.views.kind = "augmix";
  config.views.count = 2;
  const Batch batch = pictures(3);
  const auto model = small_network(), reference = small_network();
  const StepLoss result = step_of(config, *model, batch, key);
  std::vector<Tensor> logits;
  for (std::int64_t v = 0; v < 3; ++v)
    logits.push_back(train_logits(*reference, batch.images.rows(v * kBatch, (v + 1) * kBatch)));
  const Tensor copies = gaussian_copies(batch.images.rows(0, kBatch), dign_noise(3), key.child("perturb"));
  double divergences = 0;
  for (std::int64_t k = 0; k < 3; ++k)
    divergences +=
        divergence(logits[0], train_logits(*reference, copies.rows(k * kBatch, (k + 1) * kBatch))) / 3;
  const double expected = cross_entropy(logits[0], batch.labels).item() +
                          12 * jensen_shannon(concat(logits), 3, 1e-7).item() + 0.2 * divergences;
  CHECK(result.loss.item() == doctest::Approx(expected).epsilon(1e-9));
}

TEST_CASE("DiGN without consistency, and RSE, train on noisy images alone") {
  const Key key(6);
  const Batch batch = pictures(1);
  for (const bool diverse : {true, false}) {
    Config config = unit_range();
    config.perturb.kind = "gaussian";
    config.perturb.keep_clean = false;
    config.perturb.noise = 0.1;
    config.perturb.noise_law = diverse ? "uniform" : "fixed";
    const auto model = small_network(), reference = small_network();
    const Tensor noisy =
        gaussian_copies(batch.images, {.noise = 0.1, .diverse = diverse}, key.child("perturb"));
    const double expected = cross_entropy(train_logits(*reference, noisy), batch.labels).item();
    CHECK(step_of(config, *model, batch, key).loss.item() == doctest::Approx(expected).epsilon(1e-12));
  }
}

TEST_CASE("adversarial training trains on the attack's result") {
  const Key key(7);
  const Batch batch = pictures(1);
  for (const char* norm : {"linf", "l2"}) {
    Config config = unit_range();
    config.perturb.kind = "pgd";
    config.perturb.keep_clean = false;
    config.perturb.norm = norm;
    config.perturb.epsilon = 0.05;
    config.perturb.iterations = 3;
    const auto model = small_network(), reference = small_network();
    const auto loss = [&](const Tensor& x) {
      return cross_entropy((*reference)(x, Context::evaluation()), batch.labels);
    };
    PgdOptions options{.epsilon = 0.05, .iterations = 3};
    options.norm = std::string(norm) == "l2" ? AttackNorm::l2 : AttackNorm::linf;
    const Tensor adversarial =
        pgd(loss, batch.images, make_normalization("none"), options, key.child("perturb"), 0);
    const double clean = cross_entropy(train_logits(*small_network(), batch.images), batch.labels).item();
    const double expected = cross_entropy(train_logits(*reference, adversarial), batch.labels).item();
    CHECK(step_of(config, *model, batch, key).loss.item() == doctest::Approx(expected).epsilon(1e-12));
    CHECK(std::abs(expected - clean) > 1e-6);
  }
}

TEST_CASE("TRADES adds the divergence to the image that maximises it") {
  const Key key(8);
  const Batch batch = pictures(1);
  Config config = unit_range();
  config.perturb.kind = "pgd";
  config.perturb.attack = "kl";
  config.perturb.start = "normal";
  config.perturb.iterations = 4;
  config.perturb.consistency = "kl";
  config.perturb.consistency_weight = 3;
  config.objective.separate_forwards = true;
  const auto model = small_network(), reference = small_network();
  const Tensor target = (*reference)(batch.images, Context::evaluation()).detach();
  const auto loss = [&](const Tensor& x) {
    return kl_consistency(target, (*reference)(x, Context::evaluation()));
  };
  const PgdOptions options{.iterations = 4, .start = AttackStart::normal};
  const Tensor adversarial =
      pgd(loss, batch.images, make_normalization("none"), options, key.child("perturb"), 0);
  const Tensor moved =
      add(batch.images, mul(random_normal(batch.images.shape(), Key(1), 0, 1, Dtype::f64), 0.001));
  CHECK(loss(adversarial).item() >
        4 * loss(moved).item());  // the attack found more than a touch of noise does
  const Tensor clean = train_logits(*reference, batch.images);
  const double expected = cross_entropy(clean, batch.labels).item() +
                          3 * divergence(clean, train_logits(*reference, adversarial));
  CHECK(step_of(config, *model, batch, key).loss.item() == doctest::Approx(expected).epsilon(1e-9));
}

TEST_CASE("AugMax trains on the clean view, a mixture and the worst mixture") {
  const Key key(9);
  const Batch batch = pictures(5);
  Config config = unit_range();
  config.perturb.kind = "augmax";
  config.perturb.iterations = 2;
  config.objective.consistency = "jensen_shannon";
  config.objective.consistency_weight = 12;
  const auto model = small_network(), reference = small_network();
  const auto view = [&](std::int64_t v) { return batch.images.rows(v * kBatch, (v + 1) * kBatch); };
  const auto logits_of = [&](const Tensor& x) { return (*reference)(x, Context::evaluation()); };
  const Tensor worst = augmax(view(0), {view(2), view(3), view(4)}, batch.labels, logits_of,
                              {.iterations = 2}, key.child("perturb"));
  const Tensor logits = train_logits(*reference, concat({view(0), view(1), worst}));
  const double expected = cross_entropy(logits.rows(0, kBatch), batch.labels).item() +
                          12 * jensen_shannon(logits, 3, 1e-7).item();
  CHECK(step_of(config, *model, batch, key).loss.item() == doctest::Approx(expected).epsilon(1e-9));
}

TEST_CASE("free training moves its delta along the gradient that trained the weights") {
  const Batch batch = pictures(1);
  Config config = unit_range();
  config.perturb.kind = "free";
  config.perturb.epsilon = 0.03;
  const auto model = small_network(), reference = small_network();
  const auto objective = make_objective(config);
  Tensor delta = Tensor::zeros(batch.images.shape(), Dtype::f64);
  for (int step = 0; step < 3; ++step) {
    CAPTURE(step);
    const StepLoss result = objective->loss(*model, batch, Key(10).child(step));
    Tensor x = clamp(add(batch.images, delta), 0, 1);
    x.set_requires_grad();
    const Tensor loss = cross_entropy(train_logits(*reference, x), batch.labels);
    CHECK(result.loss.item() == doctest::Approx(loss.item()).epsilon(1e-7));
    backward(result.loss);
    backward(loss);
    objective->step_done();
    delta = clamp(add(delta, mul(sign(x.grad()), 0.03)), -0.03, 0.03).to(Dtype::f32).to(Dtype::f64);
  }
  // What the next step starts from travels in checkpoints.
  const auto state = objective->state();
  REQUIRE(state.size() == 1);
  const auto kept = state[0].second.to_vector<float>(), expected = delta.to(Dtype::f32).to_vector<float>();
  REQUIRE(kept.size() == expected.size());
  for (std::size_t i = 0; i < kept.size(); ++i) CHECK(kept[i] == doctest::Approx(expected[i]).epsilon(1e-6));
  const auto resumed = make_objective(config);
  resumed->load_state(state);
  CHECK(resumed->loss(*small_network(), batch, Key(0)).loss.item() ==
        objective->loss(*small_network(), batch, Key(0)).loss.item());
}

TEST_CASE("free training keeps pictures in the data range") {
  Config config;  // normalised by 0.5 / 0.5
  config.perturb.kind = "free";
  config.perturb.epsilon = 0.5;
  const auto perturbation = make_perturbation(config.perturb, make_normalization("half"), Key(0));
  Batch batch = pictures(1);
  batch.images = add(mul(batch.images, 2), -1.0);
  perturbation->load_state({{"delta", Tensor::full(batch.images.shape(), 0.5, Dtype::f32)}});
  const auto model = small_network();
  const auto seen = perturbation->make(*model, batch, Key(0)).images.to_vector<double>();
  const auto given = batch.images.to_vector<double>();
  for (std::size_t i = 0; i < seen.size(); ++i)
    CHECK(seen[i] == doctest::Approx(std::min(1.0, given[i] + 1)));
}

TEST_CASE("a plain step has one pass, others those of their views and attacks") {
  CHECK(make_objective(unit_range())->passes(1) == 1);
  CHECK(make_objective(dign())->passes(1) == 4);
  CHECK(make_objective(dign())->passes(3) == 6);
  Config attack = unit_range();
  attack.perturb.kind = "pgd";
  attack.perturb.keep_clean = false;
  CHECK(make_objective(attack)->passes(1) == 8);
}

TEST_CASE("a negative radius is one clear line") {
  PerturbConfig config;
  config.kind = "pgd";
  config.epsilon = -0.1;
  CHECK_THROWS_WITH_AS(make_perturbation(config, {}, Key(0)),
                       "perturb.epsilon, the radius of the attack, must be at least 0, got -0.1",
                       ConfigError);
  config.kind = "free";
  CHECK_THROWS_AS(make_perturbation(config, {}, Key(0)), ConfigError);
}
