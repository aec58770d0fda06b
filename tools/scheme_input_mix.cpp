#include "tools/scheme_input_mix.h"

#include <utility>

#include "augment/mixing/cutmix.h"
#include "augment/mixing/puzzlemix/puzzlemix.h"
#include "augment/mixing/puzzlemix/saliency.h"
#include "engine/autograd.h"
#include "engine/ops/cross_entropy.h"

namespace noisymix {
namespace {

class CutMix final : public InputMix {
 public:
  explicit CutMix(const CutMixOptions& options) : options_(options) {}
  InputMixed mix(Model&, const PerturbedViews& views, const Tensor& labels, Key key) const override {
    const Tensor& x = views.images;
    NM_CHECK(x.rank() == 4, "[cutmix] expects images [n, h, w, c], got ", x.shape());
    CutMixDraw draw = draw_cutmix(options_, labels.numel(), x.dim(1), x.dim(2), key);
    return {.images = apply_cutmix(draw, x, views.views),
            .lambda = draw.lambda,
            .shares = {},
            .permutation = std::move(draw.permutation)};
  }

 private:
  CutMixOptions options_;
};

/// Saliency is the gradient of the unmixed batch's loss, the network being in evaluation mode.
class PuzzleMix final : public InputMix {
 public:
  PuzzleMix(const PuzzleMixOptions& options, const Normalization& normalization)
      : options_(options), normalization_(normalization) {}
  double passes() const override { return 1; }

  InputMixed mix(Model& model, const PerturbedViews& views, const Tensor& labels, Key key) const override {
    const Dtype precision = views.images.dtype();
    const Tensor first = views.images.rows(0, labels.numel()).detach();
    const auto loss = [&](const Tensor& x) { return cross_entropy(evaluation_logits(model, x), labels); };
    const Tensor saliency = saliency_of_gradient(wide(input_gradient(loss, first)));
    PuzzleMixed mixed =
        puzzlemix(options_, wide(views.images.detach()), saliency, normalization_, key, views.views);
    const Tensor shares = mixed.shares.to(Device{}).to(Dtype::f64);
    return {.images = mixed.images.to(precision),
            .lambda = mean_of(shares.to_vector<double>()),
            .shares = shares.to_vector<double>(),
            .permutation = std::move(mixed.permutation)};
  }

 private:
  static Tensor wide(const Tensor& x) { return x.dtype() == Dtype::bf16 ? x.to(Dtype::f32) : x; }
  static double mean_of(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 1 : sum / static_cast<double>(values.size());
  }

  PuzzleMixOptions options_;
  Normalization normalization_;
};

}  // namespace

std::unique_ptr<InputMix> make_input_mix(const InputMixConfig& config, const FeatureMixOptions& mix,
                                         const Normalization& normalization) {
  if (config.kind == "features" || !mix.mix) return nullptr;
  if (config.kind == "cutmix") {
    return std::make_unique<CutMix>(CutMixOptions{.probability = config.probability, .alpha = mix.alpha});
  }
  NM_CHECK_AS(ConfigError, config.kind == "puzzlemix", "mix.kind knows no \"", config.kind, '"');
  PuzzleMixOptions options;
  options.alpha = mix.alpha;
  options.transport = config.transport;
  return std::make_unique<PuzzleMix>(options, normalization);
}

}  // namespace noisymix
