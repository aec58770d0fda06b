#include "tools/analysis/second_order.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "data/toy.h"
#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#include "engine/ops/reduce.h"
#include "engine/optim/adam.h"
#include "models/toy_mlp.h"
#include "tools/line_chart.h"

namespace noisymix {
namespace {

/// Mean of log(1 + e^f) - target f.
Tensor logistic_loss(const Tensor& f, const Tensor& target) {
  return mean(sub(softplus(f), mul(target, f)));
}

FeatureMixOptions mix_options(const NfmLaw& law) {
  FeatureMixOptions mix;
  mix.mix = law.alpha > 0;
  mix.alpha = law.alpha;
  mix.add = law.add;
  mix.mult = law.mult;
  mix.scale = law.scale;
  mix.layers = {0};
  return mix;
}

/// One epoch of the stochastic loss; the last batch may be smaller.
void train_epoch(Model& model, Optimizer& optimizer, const PlanePoints& data,
                 const SecondOrderOptions& options, Key key) {
  const FeatureMixOptions mix = mix_options(options.law);
  const std::vector<std::int64_t> order = permutation(key.child("order"), data.size());
  for (std::int64_t begin = 0, step = 0; begin < data.size(); begin += options.batch, ++step) {
    const std::int64_t size = std::min(options.batch, data.size() - begin);
    const Tensor rows =
        Tensor::from(std::vector<std::int64_t>(order.begin() + begin, order.begin() + begin + size), {size});
    const Tensor x = index_select(data.x, rows), y = index_select(data.y, rows);
    const FeatureMixDraw draw = draw_feature_mix(mix, {0}, size, 1, key.child("step").child(step));
    Tensor target = y;
    if (!draw.permutation.empty()) {
      const Tensor partners = index_select(y, Tensor::from(draw.permutation, {size}));
      target = add(mul(y, draw.lambda), mul(partners, 1 - draw.lambda));
    }
    Context context;
    context.training = true;
    const Tensor f = model(apply_feature_mix(draw, x), context).reshape({size});
    optimizer.clear_grads();
    backward(logistic_loss(f, target));
    optimizer.step(options.learning_rate);
  }
}

nlohmann::ordered_json json_of(const SecondOrderPoint& point) {
  return {{"exact", point.exact.value},
          {"exact_error", point.exact.error},
          {"standard", point.expansion.standard},
          {"r1", point.expansion.r1},
          {"r2", point.expansion.r2},
          {"r3", point.expansion.r3},
          {"approximation", point.expansion.sum()}};
}

}  // namespace

std::vector<SecondOrderEpoch> second_order_check(
    const SecondOrderOptions& options, const std::function<void(const SecondOrderEpoch&)>& progress) {
  NM_CHECK_AS(ConfigError, options.epochs >= 0 && options.batch >= 1 && options.units >= 1,
              "[second_order] epochs must not be negative, batch and units at least 1");
  const Key key = Key(options.seed).child("second order");
  const PlanePoints train = plane_points(*make_circles(options.seed, true, options.points));
  const PlanePoints test = plane_points(*make_circles(options.seed, false, options.points));
  const NfmDraws draws(options.law, options.draws, key.child("draws"));
  ToyMlp model({.classes = 1, .units = options.units, .mix_layers = 0, .activation = options.activation});
  model.initialize(key.child("weights"));
  model.to(Dtype::f64);
  Adam optimizer(model.parameters());
  std::vector<SecondOrderEpoch> epochs;
  for (int epoch = 0; epoch <= options.epochs; ++epoch) {
    if (epoch > 0) train_epoch(model, optimizer, train, options, key.child("epoch").child(epoch));
    const auto compare = [&](const PlanePoints& points) {
      return SecondOrderPoint{sampled_nfm_loss(model, options.activation, points, draws),
                              expand_nfm_loss(model, options.activation, points, options.law)};
    };
    epochs.push_back({epoch, compare(train), compare(test)});
    if (progress) progress(epochs.back());
  }
  return epochs;
}

std::string second_order_json(const SecondOrderOptions& options,
                              const std::vector<SecondOrderEpoch>& epochs) {
  nlohmann::ordered_json json{{"analysis", "second-order"},
                              {"data", "circles"},
                              {"epochs", options.epochs},
                              {"batch", options.batch},
                              {"learning_rate", options.learning_rate},
                              {"units", options.units},
                              {"activation", options.activation == ActivationKind::relu ? "relu" : "gelu"},
                              {"alpha", options.law.alpha},
                              {"add", options.law.add},
                              {"mult", options.law.mult},
                              {"noise_scale", options.law.scale == NoiseScale::beta25 ? "beta25" : "fixed"},
                              {"draws", options.draws},
                              {"seed", options.seed}};
  json["results"] = nlohmann::ordered_json::array();
  for (const SecondOrderEpoch& epoch : epochs)
    json["results"].push_back(
        {{"epoch", epoch.epoch}, {"train", json_of(epoch.train)}, {"test", json_of(epoch.test)}});
  return json.dump(1) + "\n";
}

std::string second_order_csv(const std::vector<SecondOrderEpoch>& epochs) {
  std::string out = "epoch,split,exact,exact_error,standard,r1,r2,r3,approximation\n";
  for (const SecondOrderEpoch& epoch : epochs) {
    for (const bool train : {true, false}) {
      const SecondOrderPoint& point = train ? epoch.train : epoch.test;
      const NfmExpansion& e = point.expansion;
      char line[256];
      std::snprintf(line, sizeof line, "%d,%s,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g\n", epoch.epoch,
                    train ? "train" : "test", point.exact.value, point.exact.error, e.standard, e.r1, e.r2,
                    e.r3, e.sum());
      out += line;
    }
  }
  return out;
}

std::string second_order_svg(const std::vector<SecondOrderEpoch>& epochs) {
  const auto chart = [&epochs](const char* title, SecondOrderPoint SecondOrderEpoch::*split) {
    ChartLine exact{.name = "NFM loss, exact", .points = {}, .color = 0};
    ChartLine expansion{.name = "expansion: standard + R1 + R2 + R3", .points = {}, .color = 1};
    ChartLine standard{.name = "standard loss", .points = {}, .color = 2, .dashed = true};
    for (const SecondOrderEpoch& epoch : epochs) {
      const double x = epoch.epoch;
      exact.points.push_back({x, (epoch.*split).exact.value});
      expansion.points.push_back({x, (epoch.*split).expansion.sum()});
      standard.points.push_back({x, (epoch.*split).expansion.standard});
    }
    return Chart{.title = title, .x_name = "epoch", .from_zero = true, .lines = {exact, expansion, standard}};
  };
  return draw_charts(
      {chart("Training points", &SecondOrderEpoch::train), chart("Test points", &SecondOrderEpoch::test)}, 2);
}

SecondOrderGap second_order_gap(const std::vector<SecondOrderEpoch>& epochs) {
  SecondOrderGap result;
  const double count = 2 * static_cast<double>(epochs.size());
  for (const SecondOrderEpoch& epoch : epochs) {
    for (const SecondOrderPoint* point : {&epoch.train, &epoch.test}) {
      const double gap = std::abs(point->exact.value - point->expansion.sum());
      result.mean += gap / count;
      result.mean_relative += gap / std::abs(point->exact.value) / count;
      result.largest = std::max(result.largest, gap);
    }
  }
  return result;
}

}  // namespace noisymix
