#include "tools/scheme.h"

#include <doctest/doctest.h>

#include <cmath>

#include "augment/feature_mix.h"
#include "engine/autograd.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/jensen_shannon.h"
#include "engine/ops/random.h"
#include "engine/ops/reduce.h"
#include "losses/losses.h"

using namespace noisymix;

namespace {

constexpr std::int64_t kBatch = 6;

std::unique_ptr<Model> points_model() {
  ModelOptions options;
  options.classes = 3;
  return make_model("toy-nfm", options, Key(1));
}

Batch points(int views) {
  Batch batch;
  batch.images = random_normal({views * kBatch, 2}, Key(2));
  batch.labels = Tensor::from(std::vector<std::int64_t>{0, 1, 2, 0, 1, 2}, {kBatch});
  batch.views = views;
  return batch;
}

FeatureMixOptions nfm() {
  FeatureMixOptions mix;
  mix.mix = true;
  mix.add = 0.4;
  mix.mult = 0.2;
  return mix;
}

ObjectiveConfig with_consistency() {
  ObjectiveConfig objective;
  objective.consistency = "jensen_shannon";
  return objective;
}

/// The forward pass written out: what an objective must do with its draw.
Tensor mixed_logits(Model& model, const Batch& batch, const FeatureMixDraw& draw, Key step) {
  Context context;
  context.training = true;
  context.key = step.child("model");
  context.stage_hook = [&](int stage, const Tensor& x) {
    return stage == draw.layer ? apply_feature_mix(draw, x) : x;
  };
  return model(batch.images, context);
}

double loss_of(const ObjectiveConfig& objective, const FeatureMixOptions& mix, const Batch& batch, Key step,
               StepStats& stats) {
  const auto model = points_model();
  const StepLoss result = make_objective(objective, mix)->loss(*model, batch, step);
  stats = stats_of(result);
  return result.loss.item();
}

}  // namespace

TEST_CASE("plain training is the cross entropy of the model's output") {
  const auto model = points_model();
  const Batch batch = points(1);
  StepStats stats;
  const double expected = cross_entropy((*model)(batch.images, Context::evaluation()), batch.labels).item();
  CHECK(loss_of({}, {}, batch, Key(3), stats) == expected);
  CHECK(stats.cross_entropy == expected);
  CHECK(stats.consistency == 0);
  CHECK(stats.lambda == 1);
  CHECK(stats.layer == -1);
}

TEST_CASE("label smoothing enters the cross entropy") {
  const auto model = points_model();
  const Batch batch = points(1);
  ObjectiveConfig objective;
  objective.label_smoothing = 0.1;
  StepStats stats;
  const double expected =
      cross_entropy((*model)(batch.images, Context::evaluation()), batch.labels, 0.1).item();
  CHECK(loss_of(objective, {}, batch, Key(3), stats) == expected);
}

TEST_CASE("noisy feature mixup with one view equals its manual composition") {
  for (const int step : {0, 1, 2, 3, 4, 5}) {
    const Key key = Key(4).child(step);
    const auto model = points_model();
    const Batch batch = points(1);
    const auto draw = draw_feature_mix(nfm(), model->stages(), kBatch, 1, key.child("mix"));
    const Tensor logits = mixed_logits(*model, batch, draw, key);
    const double expected = mixed_cross_entropy(logits, batch.labels, draw.lambda, draw.permutation).item();
    StepStats stats;
    CHECK(loss_of({}, nfm(), batch, key, stats) == expected);
    CHECK(stats.lambda == draw.lambda);
    CHECK(stats.layer == draw.layer);
  }
}

TEST_CASE(
    "NoisyMix is the mixed cross entropy of the first view plus the weighted consistency of all views") {
  const Key key(5);
  const auto model = points_model();
  const Batch batch = points(3);
  const auto draw = draw_feature_mix(nfm(), model->stages(), kBatch, 3, key.child("mix"));
  const Tensor logits = mixed_logits(*model, batch, draw, key);
  const Tensor first =
      mixed_cross_entropy(logits.rows(0, kBatch), batch.labels, draw.lambda, draw.permutation);
  const Tensor divergence = mul(jensen_shannon(logits, 3, 1e-7), 12.0);
  StepStats stats;
  CHECK(loss_of(with_consistency(), nfm(), batch, key, stats) == add(first, divergence).item());
  CHECK(stats.cross_entropy == first.item());
  CHECK(stats.consistency == divergence.item());
  CHECK(stats.consistency > 0);
}

TEST_CASE("noise needs no mixing") {
  FeatureMixOptions noise = nfm();
  noise.mix = false;
  noise.layers = {1};
  const Key key(6);
  const auto model = points_model();
  const Batch batch = points(1);
  const auto draw = draw_feature_mix(noise, model->stages(), kBatch, 1, key.child("mix"));
  const double expected = cross_entropy(mixed_logits(*model, batch, draw, key), batch.labels).item();
  StepStats stats, plain;
  const double noisy = loss_of({}, noise, batch, key, stats);
  CHECK(noisy == expected);
  CHECK(noisy != loss_of({}, {}, batch, key, plain));
  CHECK(stats.lambda == 1);
  CHECK(stats.layer == 1);
}

TEST_CASE("cross entropy over all views is the mean of the views'") {
  const auto model = points_model();
  const Batch batch = points(2);
  ObjectiveConfig objective;
  objective.cross_entropy_views = "all";
  const Tensor logits = (*model)(batch.images, Context::evaluation());
  double expected = 0;
  for (const int v : {0, 1})
    expected += cross_entropy(logits.rows(v * kBatch, (v + 1) * kBatch), batch.labels).item();
  StepStats stats;
  CHECK(loss_of(objective, {}, batch, Key(7), stats) == doctest::Approx(expected / 2));
}

TEST_CASE("training accuracy weighs both labels of a mixed example") {
  const Key key(8);
  FeatureMixOptions mix;
  mix.mix = true;
  const auto model = points_model();
  const Batch batch = points(1);
  const auto draw = draw_feature_mix(mix, model->stages(), kBatch, 1, key.child("mix"));
  REQUIRE(!draw.permutation.empty());
  const auto predicted = argmax(mixed_logits(*model, batch, draw, key).detach(), 1).to_vector<std::int64_t>();
  double expected = 0;
  for (std::int64_t i = 0; i < kBatch; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::int64_t own = i % 3, partner = draw.permutation[at] % 3;  // the labels of points()
    expected += (predicted[at] == own ? draw.lambda : 0) + (predicted[at] == partner ? 1 - draw.lambda : 0);
  }
  StepStats stats;
  loss_of({}, mix, batch, key, stats);
  CHECK(stats.accuracy == doctest::Approx(expected / kBatch));
}

TEST_CASE("a step is a function of weights, batch and key") {
  const Batch batch = points(3);
  StepStats first, second, other;
  const double loss = loss_of(with_consistency(), nfm(), batch, Key(9), first);
  CHECK(loss == loss_of(with_consistency(), nfm(), batch, Key(9), second));
  CHECK(loss != loss_of(with_consistency(), nfm(), batch, Key(10), other));
}

TEST_CASE("the gradient reaches every parameter under every combination of mixing, noise and consistency") {
  // The ten rows of the ablation study, without what the views decide: mixing, noise, consistency.
  for (int row = 0; row < 8; ++row) {
    CAPTURE(row);
    FeatureMixOptions mix;
    mix.mix = (row & 1) != 0;
    mix.add = mix.mult = (row & 2) != 0 ? 0.5 : 0;
    mix.sparse = 0.65;
    const bool consistency = (row & 4) != 0;
    const auto model = points_model();
    StepStats stats;
    const auto objective = make_objective(consistency ? with_consistency() : ObjectiveConfig{}, mix);
    const StepLoss result = objective->loss(*model, points(consistency ? 3 : 1), Key(11));
    stats = stats_of(result);
    backward(result.loss);
    for (const auto& entry : model->parameters()) {
      const std::string& name = entry.first;  // clang 14 captures no structured bindings
      const Tensor& parameter = entry.second;
      CAPTURE(name);
      REQUIRE(parameter.grad().defined());
      CHECK(all_finite(parameter.grad()));
    }
    CHECK((stats.layer >= 0) == mix.active());
    CHECK((stats.lambda < 1) == mix.mix);
    CHECK((stats.consistency > 0) == consistency);
  }
}

TEST_CASE("mistakes in a scheme are named") {
  StepStats stats;
  CHECK_THROWS_WITH_AS(loss_of(with_consistency(), {}, points(1), Key(0), stats),
                       doctest::Contains("makes only one of each image"), ConfigError);
  ObjectiveConfig unknown;
  unknown.consistency = "kl";
  CHECK_THROWS_WITH_AS(make_objective(unknown, {}), "objective.consistency knows no \"kl\"", ConfigError);
  unknown = {};
  unknown.cross_entropy_views = "last";
  CHECK_THROWS_AS(make_objective(unknown, {}), ConfigError);
  CHECK_THROWS_AS(make_normalization("mean"), ConfigError);
  ViewsConfig views;
  views.kind = "autoaugment";
  CHECK_THROWS_AS(make_views(views, {}), ConfigError);
  CHECK(list_objectives().front() == "none");
}

TEST_CASE("views are made as configured") {
  ViewsConfig views;
  CHECK(make_views(views, {})->count() == 1);
  views.count = 3;
  CHECK(make_views(views, {})->count() == 3);
  views.kind = "augmix";
  views.count = 2;
  CHECK(make_views(views, {})->count() == 3);
  views.kind = "augmix_only";
  views.count = 1;
  CHECK(make_views(views, {})->count() == 1);
}

TEST_CASE("a plan draws what the step draws") {
  for (int step = 0; step < 6; ++step) {
    const auto model = points_model();
    const auto objective = make_objective(with_consistency(), nfm());
    const Key key = Key(4).child(step);
    const auto plan = objective->plan(*model, kBatch, 3, key, Device{});
    REQUIRE(plan.has_value());
    const StepStats stats = stats_of(objective->loss(*model, points(3), key));
    CHECK(plan->lambda == stats.lambda);
    CHECK(plan->layer == stats.layer);
    CHECK(plan->structure.find("stage " + std::to_string(stats.layer)) != std::string::npos);
    CHECK(plan->values.size() == 2);  // mix and loss: this network has no dropout
  }
}
