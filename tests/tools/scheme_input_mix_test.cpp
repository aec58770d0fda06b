// CutMix and PuzzleMix as the mixing of a scheme: images, labels and the losses they enter.
#include "tools/scheme_input_mix.h"

#include <doctest/doctest.h>

#include <cmath>

#include "augment/mixing/cutmix.h"
#include "augment/mixing/puzzlemix/puzzlemix.h"
#include "augment/mixing/puzzlemix/saliency.h"
#include "engine/autograd.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/jensen_shannon.h"
#include "engine/ops/random.h"
#include "losses/losses.h"
#include "tests/tools/small_network.h"
#include "tools/scheme.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

constexpr std::int64_t kBatch = 4, kClasses = 10;

Batch pictures(int views) {
  return four_pictures(random_normal({views * kBatch, 32, 32, 3}, Key(2), 0, 1, Dtype::f64), views);
}

Config config_of(const char* kind) {
  Config config;
  config.input_mix.kind = kind;
  config.input_mix.probability = 1;
  config.mix.mix = true;
  return config;
}

/// -mean t log p, or the binary form, against targets r y + (1 - r) y[partner], in plain loops.
double classification(const Tensor& logits, const Tensor& labels, const std::vector<double>& shares,
                      const std::vector<std::int64_t>& permutation, bool binary) {
  const auto f = logits.to_vector<double>();
  const auto y = labels.to_vector<std::int64_t>();
  double sum = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    double total = 0;
    for (std::size_t k = 0; k < kClasses; ++k) total += std::exp(f[i * kClasses + k]);
    for (std::size_t k = 0; k < kClasses; ++k) {
      const auto is = [&](std::int64_t label) { return static_cast<std::size_t>(label) == k ? 1.0 : 0.0; };
      const double t =
          shares[i] * is(y[i]) + (1 - shares[i]) * is(y[static_cast<std::size_t>(permutation[i])]);
      const double p = std::exp(f[i * kClasses + k]) / total;
      sum -= binary ? (t * std::log(p) + (1 - t) * std::log(1 - p)) / kClasses : t * std::log(p);
    }
  }
  return sum / static_cast<double>(y.size());
}

}  // namespace

TEST_CASE("CutMix trains on the pasted images with one share for all labels") {
  const Key key(3);
  for (const int views : {1, 3}) {
    CAPTURE(views);
    const Batch batch = pictures(views);
    Config config = config_of("cutmix");
    if (views > 1) config.objective.consistency = "jensen_shannon";
    const auto model = small_network(), reference = small_network();
    const StepLoss result = make_objective(config)->loss(*model, batch, key);
    const CutMixDraw draw = draw_cutmix({.probability = 1}, kBatch, 32, 32, key.child("mix"));
    REQUIRE(draw.active);
    const Tensor logits = train_logits(*reference, apply_cutmix(draw, batch.images, views));
    double expected = classification(logits.rows(0, kBatch), batch.labels,
                                     std::vector<double>(kBatch, draw.lambda), draw.permutation, false);
    if (views > 1) expected += 12 * jensen_shannon(logits, views, 1e-7).item();
    CHECK(result.loss.item() == doctest::Approx(expected).epsilon(1e-9));
    CHECK(stats_of(result).lambda == draw.lambda);
    CHECK(result.layer == 0);
  }
}

TEST_CASE("PuzzleMix trains with a share for each image, by either loss") {
  const Key key(4);
  for (const int views : {1, 3}) {
    for (const bool binary : {false, true}) {
      CAPTURE(views);
      CAPTURE(binary);
      const Batch batch = pictures(views);
      Config config = config_of("puzzlemix");
      if (views > 1) config.objective.consistency = "jensen_shannon";
      if (binary) config.objective.classification = "binary_cross_entropy";
      const auto model = small_network(), reference = small_network();
      const StepLoss result = make_objective(config)->loss(*model, batch, key);
      const auto loss = [&](const Tensor& x) {
        return cross_entropy((*reference)(x, Context::evaluation()), batch.labels);
      };
      const Tensor saliency = input_saliency(loss, batch.images.rows(0, kBatch));
      const PuzzleMixed mixed =
          puzzlemix({}, batch.images, saliency, make_normalization("half"), key.child("mix"), views);
      std::vector<double> shares;
      for (const float share : mixed.shares.to_vector<float>()) shares.push_back(static_cast<double>(share));
      const Tensor logits = train_logits(*reference, mixed.images);
      const Tensor first = logits.rows(0, kBatch);
      const double expected = classification(first, batch.labels, shares, mixed.permutation, binary);
      const double consistency = views > 1 ? 12 * jensen_shannon(logits, views, 1e-7).item() : 0;
      CHECK(result.loss.item() == doctest::Approx(expected + consistency).epsilon(1e-7));
      const StepStats stats = stats_of(result);
      CHECK(stats.cross_entropy == doctest::Approx(expected).epsilon(1e-7));
      CHECK(stats.consistency == doctest::Approx(consistency).epsilon(1e-7));
      CHECK(stats.accuracy >= 0);
      CHECK(stats.accuracy <= 1);
      backward(result.loss);
      for (const auto& entry : model->parameters()) CHECK(entry.second.grad().defined());
    }
  }
}

TEST_CASE("binary cross-entropy serves feature mixing as well") {
  const Key key(5);
  const Batch batch = pictures(1);
  Config config;
  config.mix.mix = true;
  config.mix.layers = {0};
  config.objective.classification = "binary_cross_entropy";
  const auto model = small_network(), reference = small_network();
  const StepLoss result = make_objective(config)->loss(*model, batch, key);
  const FeatureMixDraw draw = draw_feature_mix(config.mix, model->stages(), kBatch, 1, key.child("mix"));
  const Tensor logits = train_logits(*reference, apply_feature_mix(draw, batch.images));
  const double expected =
      classification(logits, batch.labels, std::vector<double>(kBatch, draw.lambda), draw.permutation, true);
  CHECK(result.loss.item() == doctest::Approx(expected).epsilon(1e-7));
}

TEST_CASE("mixing that is switched off, or unknown, is said so") {
  Config config = config_of("cutmix");
  config.mix.mix = false;
  CHECK(make_input_mix(config.input_mix, config.mix, {}) == nullptr);
  config.mix.mix = true;
  CHECK(make_input_mix(config.input_mix, config.mix, {}) != nullptr);
  config.input_mix.kind = "patchup";
  CHECK_THROWS_WITH_AS(make_input_mix(config.input_mix, config.mix, {}), "mix.kind knows no \"patchup\"",
                       ConfigError);
  const auto objective = make_objective(config_of("puzzlemix"));
  CHECK(objective->passes(1) == 2);
}
