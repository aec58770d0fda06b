#include "tools/scheme.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include "augment/feature_mix.h"
#include "engine/ops/concat.h"
#include "engine/ops/dropout.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/mix_noise.h"
#include "engine/ops/view_loss.h"
#include "losses/losses.h"
#include "tools/scheme_input_mix.h"
#include "tools/scheme_label_loss.h"
#include "tools/scheme_perturbation.h"

namespace noisymix {
namespace {

constexpr double kPerturbedFloor = 1e-14;  // of the mean prediction, as DiGN's code

/// The parts of a scheme, put together.
struct Parts {
  ObjectiveConfig objective;
  FeatureMixOptions mix;
  std::string perturbed_consistency = "none";
  double perturbed_weight = 0;
  std::unique_ptr<Perturbation> perturbation{};
  std::unique_ptr<InputMix> input_mix{};
};

/// Perturbed views, mixing and noise at one drawn stage, classification of the first view (or the mean over
/// all) against the mixed labels, weighted consistency of the views, and of the perturbed copies with the
/// first view. Every scheme of the papers is a setting of it.
class ViewsObjective final : public Objective {
 public:
  explicit ViewsObjective(Parts parts)
      : parts_(std::move(parts)), config_(parts_.objective), mix_(parts_.mix) {}

  StepLoss loss(Model& model, const Batch& batch, Key step_key) override {
    PerturbedViews seen{.images = batch.images, .own = batch.views, .views = batch.views};
    if (parts_.perturbation) seen = parts_.perturbation->make(model, batch, step_key.child("perturb"));
    MixedLabels labels;
    if (parts_.input_mix) {
      InputMixed mixed = parts_.input_mix->mix(model, seen, batch.labels, step_key.child("mix"));
      seen.images = mixed.images;
      labels = {mixed.lambda, std::move(mixed.shares), std::move(mixed.permutation)};
    }
    const FeatureMixDraw draw = drawn(model, batch.size(), seen.views, step_key);
    if (!parts_.input_mix) labels = {draw.lambda, {}, draw.permutation};
    const Tensor logits = forward(model, seen, draw, step_key.child("model"));
    return loss_of(logits, batch, seen, draw, labels);
  }

  std::optional<StepPlan> plan(const Model& model, std::int64_t examples, int views, Key step_key,
                               Device device) const override;
  double passes(int views) const override {
    const Perturbation* perturbation = parts_.perturbation.get();
    return (perturbation ? perturbation->views(views) + perturbation->passes() : views) +
           (parts_.input_mix ? parts_.input_mix->passes() : 0);
  }
  void step_done() override {
    if (parts_.perturbation) parts_.perturbation->step_done();
  }
  Module::Named state() const override {
    return parts_.perturbation ? parts_.perturbation->state() : Module::Named{};
  }
  void load_state(const Module::Named& state) override {
    if (parts_.perturbation) parts_.perturbation->load_state(state);
  }

 private:
  bool mixes_features() const { return mix_.active() && !parts_.input_mix; }

  FeatureMixDraw drawn(const Model& model, std::int64_t examples, int views, Key step_key) const {
    if (!mixes_features()) return {};
    return draw_feature_mix(mix_, model.stages(), examples, views, step_key.child("mix"));
  }

  /// Whether mix_noise() has anything to do on a GPU.
  static bool changes(const FeatureMixDraw& draw) {
    return !draw.permutation.empty() ||
           std::any_of(draw.noise.begin(), draw.noise.end(),
                       [](const ViewNoise& n) { return (n.add != 0 || n.mult != 0) && n.sparse < 1; });
  }

  /// Logits of all views, in one pass or in one for each.
  Tensor forward(Model& model, const PerturbedViews& seen, const FeatureMixDraw& draw, Key key) const {
    if (!config_.separate_forwards || seen.views == 1) return pass(model, seen.images, draw, key);
    const std::int64_t count = seen.images.dim(0) / seen.views;
    std::vector<Tensor> logits;
    for (int v = 0; v < seen.views; ++v) {
      FeatureMixDraw own = draw;
      if (!draw.noise.empty()) own.noise = {draw.noise[static_cast<std::size_t>(v)]};
      logits.push_back(pass(model, seen.images.rows(v * count, (v + 1) * count), own, key.child(v)));
    }
    return concat(logits);
  }

  Tensor pass(Model& model, const Tensor& images, const FeatureMixDraw& draw, Key key) const {
    Context context;
    context.training = true;
    context.key = key;
    bool applied = false;
    if (mixes_features()) {
      context.stage_hook = [&](int stage, const Tensor& x) {
        if (stage != draw.layer) return x;
        applied = true;
        return apply_feature_mix(draw, x);
      };
    }
    const Tensor logits = model(images, context);
    NM_ASSERT(applied == mixes_features());  // a model must reach every stage it announces
    return logits;
  }

  ViewLossOptions loss_options(int views, const MixedLabels& labels) const {
    ViewLossOptions options;
    options.views = views;
    options.counted_views = config_.cross_entropy_views == "all" ? views : 1;
    options.lambda = labels.lambda;
    options.permutation = labels.permutation;
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

  StepLoss loss_of(const Tensor& logits, const Batch& batch, const PerturbedViews& seen,
                   const FeatureMixDraw& draw, const MixedLabels& labels) const {
    const Tensor own = seen.own == seen.views ? logits : logits.rows(0, seen.own * batch.size());
    const ViewLossOptions options = loss_options(seen.own, labels);
    const bool binary = config_.classification == "binary_cross_entropy";
    const ViewLoss result = binary || !labels.shares.empty()
                                ? label_loss(own, batch.labels, labels, options, binary)
                                : view_loss(own, batch.labels, options);
    StepLoss step{result.loss, result.terms, {}, labels.lambda, -1};
    if (mixes_features()) step.layer = draw.layer;
    if (parts_.input_mix && !labels.permutation.empty()) step.layer = 0;
    if (seen.views > seen.own && parts_.perturbed_consistency != "none") {
      step.perturbed = perturbed_term(logits, batch.size(), seen);
      step.loss = add(result.loss, step.perturbed.to(result.loss.dtype()));
    }
    return step;
  }

  /// lambda mean_k KL(p_1 || p_k), or lambda JS(p_1, p_k, ...), over the perturbed copies k.
  Tensor perturbed_term(const Tensor& logits, std::int64_t count, const PerturbedViews& seen) const {
    const Tensor wide = logits.dtype() == Dtype::bf16 ? logits.to(Dtype::f32) : logits;
    const Tensor clean = wide.rows(0, count);
    const Tensor copies = wide.rows(seen.own * count, seen.views * count);
    const int number = seen.views - seen.own;
    if (parts_.perturbed_consistency == "jensen_shannon")
      return jensen_shannon_consistency(concat({clean, copies}), number + 1, parts_.perturbed_weight,
                                        kPerturbedFloor);
    Tensor total;
    for (int k = 0; k < number; ++k) {
      const Tensor one = kl_consistency(clean, copies.rows(k * count, (k + 1) * count));
      total = k == 0 ? one : add(total, one);
    }
    return mul(total, parts_.perturbed_weight / number);
  }

  Parts parts_;
  const ObjectiveConfig& config_;
  const FeatureMixOptions& mix_;
};

std::optional<StepPlan> ViewsObjective::plan(const Model& model, std::int64_t examples, int views,
                                             Key step_key, Device) const {
  if (parts_.perturbation || parts_.input_mix || config_.separate_forwards ||
      config_.classification != "cross_entropy")
    return std::nullopt;
  const FeatureMixDraw draw = drawn(model, examples, views, step_key);
  StepPlan plan{
      .structure = "", .values = {}, .lambda = draw.lambda, .layer = mix_.active() ? draw.layer : -1};
  std::ostringstream structure;
  structure << "stage " << plan.layer << (draw.permutation.empty() ? "" : ", mixed") << ", noise";
  for (const ViewNoise& noise : draw.noise) structure << ' ' << (noise.add != 0) << (noise.mult != 0);
  plan.structure = structure.str();
  if (mix_.active() && changes(draw))
    plan.values.emplace_back("mix_noise", pack_mix_noise(draw.lambda, draw.permutation, draw.noise));
  const MixedLabels labels{draw.lambda, {}, draw.permutation};
  plan.values.emplace_back("view_loss", pack_view_loss(loss_options(views, labels)));
  int number = 0;
  for (const std::string& path : model.drawing_modules()) {
    const std::string name = ++number == 1 ? "dropout" : "dropout#" + std::to_string(number);
    plan.values.emplace_back(name, pack_dropout(step_key.child("model").child(path)));
  }
  return plan;
}

std::unique_ptr<Objective> assembled(Parts parts) {
  const ObjectiveConfig& config = parts.objective;
  NM_CHECK_AS(ConfigError, config.cross_entropy_views == "first" || config.cross_entropy_views == "all",
              "objective.cross_entropy_views is \"first\" or \"all\", not \"", config.cross_entropy_views,
              '"');
  const std::vector<std::string> known = list_objectives();
  NM_CHECK_AS(ConfigError, std::find(known.begin(), known.end(), config.consistency) != known.end(),
              "objective.consistency knows no \"", config.consistency, '"');
  return std::make_unique<ViewsObjective>(std::move(parts));
}

}  // namespace

StepStats stats_of(const StepLoss& loss) {
  const std::vector<double> terms = loss.terms.to_vector<double>();
  return {.cross_entropy = terms[0],
          .consistency = terms[1] + (loss.perturbed.defined() ? loss.perturbed.item() : 0),
          .accuracy = terms[2],
          .lambda = loss.lambda,
          .layer = loss.layer};
}

std::vector<std::string> list_objectives() {
  return {"none", "jensen_shannon"};
}

std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config, const FeatureMixOptions& mix) {
  return assembled({.objective = config, .mix = mix});
}

std::unique_ptr<Objective> make_objective(const Config& config) {
  const Normalization normalization = make_normalization(config.data.normalization);
  return assembled({.objective = config.objective,
                    .mix = config.mix,
                    .perturbed_consistency = config.perturb.consistency,
                    .perturbed_weight = config.perturb.consistency_weight,
                    .perturbation = make_perturbation(config.perturb, normalization,
                                                      Key(config.train.seed).child("perturb")),
                    .input_mix = make_input_mix(config.input_mix, config.mix, normalization)});
}

}  // namespace noisymix
