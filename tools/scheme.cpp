#include "tools/scheme.h"

#include <algorithm>
#include <functional>
#include <sstream>
#include <utility>

#include "augment/feature_mix.h"
#include "engine/ops/dropout.h"
#include "engine/ops/mix_noise.h"
#include "engine/ops/view_loss.h"

namespace noisymix {
namespace {

/// Mixing and noise at one drawn stage of one forward pass over all views, cross entropy of the first view
/// (or the mean over all) against the mixed labels, and optionally the weighted Jensen-Shannon divergence of
/// the views. Covers plain training, label smoothing, the noise baselines, mixup, manifold mixup, NFM, AugMix
/// and NoisyMix.
class ViewsObjective final : public Objective {
 public:
  ViewsObjective(const ObjectiveConfig& config, FeatureMixOptions mix)
      : config_(config), mix_(std::move(mix)) {}

  StepLoss loss(Model& model, const Batch& batch, Key step_key) override {
    const FeatureMixDraw draw = drawn(model, batch.size(), batch.views, step_key);
    const Tensor logits = forward(model, batch, draw, step_key.child("model"));
    const ViewLoss result = view_loss(logits, batch.labels, loss_options(batch.views, draw));
    return {result.loss, result.terms, draw.lambda, mix_.active() ? draw.layer : -1};
  }

  std::optional<StepPlan> plan(const Model& model, std::int64_t examples, int views, Key step_key,
                               Device) const override {
    const FeatureMixDraw draw = drawn(model, examples, views, step_key);
    StepPlan plan{
        .structure = "", .values = {}, .lambda = draw.lambda, .layer = mix_.active() ? draw.layer : -1};
    std::ostringstream structure;
    structure << "stage " << plan.layer << (draw.permutation.empty() ? "" : ", mixed") << ", noise";
    for (const ViewNoise& noise : draw.noise) structure << ' ' << (noise.add != 0) << (noise.mult != 0);
    plan.structure = structure.str();
    if (mix_.active() && changes(draw))
      plan.values.emplace_back("mix_noise", pack_mix_noise(draw.lambda, draw.permutation, draw.noise));
    plan.values.emplace_back("view_loss", pack_view_loss(loss_options(views, draw)));
    int number = 0;
    for (const std::string& path : model.drawing_modules()) {
      const std::string name = ++number == 1 ? "dropout" : "dropout#" + std::to_string(number);
      plan.values.emplace_back(name, pack_dropout(step_key.child("model").child(path)));
    }
    return plan;
  }

 private:
  FeatureMixDraw drawn(const Model& model, std::int64_t examples, int views, Key step_key) const {
    if (!mix_.active()) return {};
    return draw_feature_mix(mix_, model.stages(), examples, views, step_key.child("mix"));
  }

  /// Whether mix_noise() has anything to do on a GPU.
  static bool changes(const FeatureMixDraw& draw) {
    return !draw.permutation.empty() ||
           std::any_of(draw.noise.begin(), draw.noise.end(),
                       [](const ViewNoise& n) { return (n.add != 0 || n.mult != 0) && n.sparse < 1; });
  }

  Tensor forward(Model& model, const Batch& batch, const FeatureMixDraw& draw, Key key) const {
    Context context;
    context.training = true;
    context.key = key;
    bool applied = false;
    if (mix_.active()) {
      context.stage_hook = [&](int stage, const Tensor& x) {
        if (stage != draw.layer) return x;
        applied = true;
        return apply_feature_mix(draw, x);
      };
    }
    const Tensor logits = model(batch.images, context);
    NM_ASSERT(applied == mix_.active());  // a model must reach every stage it announces
    return logits;
  }

  ViewLossOptions loss_options(int views, const FeatureMixDraw& draw) const {
    ViewLossOptions options;
    options.views = views;
    options.counted_views = config_.cross_entropy_views == "all" ? views : 1;
    options.lambda = draw.lambda;
    options.permutation = draw.permutation;
    options.label_smoothing = config_.label_smoothing;
    if (config_.consistency == "jensen_shannon") {
      NM_CHECK_AS(ConfigError, views > 1,
                  "objective.consistency = \"jensen_shannon\" compares views, but views.* makes only one of "
                  "each image");
      options.consistency_weight = config_.consistency_weight;
      options.consistency_floor = config_.consistency_floor;
    }
    return options;
  }

  ObjectiveConfig config_;
  FeatureMixOptions mix_;
};

}  // namespace

StepStats stats_of(const StepLoss& loss) {
  const std::vector<double> terms = loss.terms.to_vector<double>();
  return {.cross_entropy = terms[0],
          .consistency = terms[1],
          .accuracy = terms[2],
          .lambda = loss.lambda,
          .layer = loss.layer};
}

namespace {

struct ObjectiveEntry {
  const char* name;  // value of objective.consistency
  std::function<std::unique_ptr<Objective>(const ObjectiveConfig&, const FeatureMixOptions&)> make;
};

template <typename T>
std::unique_ptr<Objective> construct(const ObjectiveConfig& config, const FeatureMixOptions& mix) {
  return std::make_unique<T>(config, mix);
}

const std::vector<ObjectiveEntry>& objective_table() {
  static const std::vector<ObjectiveEntry> table = {
      {"none", construct<ViewsObjective>},
      {"jensen_shannon", construct<ViewsObjective>},
  };
  return table;
}

}  // namespace

std::vector<std::string> list_objectives() {
  std::vector<std::string> names;
  for (const ObjectiveEntry& entry : objective_table()) names.emplace_back(entry.name);
  return names;
}

std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config, const FeatureMixOptions& mix) {
  NM_CHECK_AS(ConfigError, config.cross_entropy_views == "first" || config.cross_entropy_views == "all",
              "objective.cross_entropy_views is \"first\" or \"all\", not \"", config.cross_entropy_views,
              '"');
  for (const ObjectiveEntry& entry : objective_table()) {
    if (config.consistency == entry.name) return entry.make(config, mix);
  }
  fail<ConfigError>("objective.consistency knows no \"", config.consistency, '"');
}

}  // namespace noisymix
