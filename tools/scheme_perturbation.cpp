#include "tools/scheme_perturbation.h"

#include <utility>
#include <vector>

#include "augment/attacks.h"
#include "augment/perturbations/augmax.h"
#include "augment/perturbations/gaussian.h"
#include "augment/perturbations/noise2net.h"
#include "engine/autograd.h"
#include "engine/ops/concat.h"
#include "engine/ops/cross_entropy.h"
#include "losses/losses.h"

namespace noisymix {

Tensor evaluation_logits(Model& model, const Tensor& x) {
  const Tensor logits = model(x, Context::evaluation());
  return logits.dtype() == Dtype::f64 ? logits : logits.to(Dtype::f32);
}

namespace {

/// The batch's views with copies behind them, or with one copy in the place of the first.
PerturbedViews placed(const Batch& batch, const Tensor& copies, bool keep_clean) {
  const std::int64_t count = batch.size();
  if (keep_clean) {
    const int views = batch.views + static_cast<int>(copies.dim(0) / count);
    return {.images = concat({batch.images, copies}), .own = batch.views, .views = views};
  }
  const Tensor images =
      batch.views == 1 ? copies : concat({copies, batch.images.rows(count, batch.images.dim(0))});
  return {.images = images, .own = batch.views, .views = batch.views};
}

class GaussianPerturbation final : public Perturbation {
 public:
  GaussianPerturbation(const GaussianOptions& options, bool keep_clean)
      : options_(options), keep_clean_(keep_clean) {}
  PerturbedViews make(Model&, const Batch& batch, Key key) override {
    return placed(batch, gaussian_copies(batch.images.rows(0, batch.size()), options_, key), keep_clean_);
  }

  int views(int given) const override { return keep_clean_ ? given + options_.copies : given; }

 private:
  GaussianOptions options_;
  bool keep_clean_;
};

/// PGD on the cross-entropy, or on the divergence from the clean prediction (TRADES). The network is in
/// evaluation mode.
class PgdPerturbation final : public Perturbation {
 public:
  PgdPerturbation(const PgdOptions& options, bool divergence, bool keep_clean,
                  const Normalization& normalization)
      : options_(options), divergence_(divergence), keep_clean_(keep_clean), normalization_(normalization) {}

  PerturbedViews make(Model& model, const Batch& batch, Key key) override {
    const Tensor clean = batch.images.rows(0, batch.size()).detach();
    const Tensor wide =
        clean.dtype() == Dtype::f64 ? clean : clean.to(Dtype::f32);  // steps are below a bf16 digit
    Tensor reference;
    if (divergence_) {
      const NoGrad unrecorded;
      reference = evaluation_logits(model, clean);
    }
    const auto loss = [&](const Tensor& x) {
      const Tensor logits = evaluation_logits(model, x.to(clean.dtype()));
      return divergence_ ? kl_consistency(reference, logits) : cross_entropy(logits, batch.labels);
    };
    const Tensor adversarial = pgd(loss, wide, normalization_, options_, key, 0);
    return placed(batch, adversarial.to(clean.dtype()), keep_clean_);
  }

  int views(int given) const override { return keep_clean_ ? given + 1 : given; }
  double passes() const override { return options_.iterations; }

 private:
  PgdOptions options_;
  bool divergence_, keep_clean_;
  Normalization normalization_;
};

/// Of the views (clean, mixture, chains...) that views.kind = "augmax" makes: (clean, mixture, adversarial
/// mixture).
class AugMaxPerturbation final : public Perturbation {
 public:
  explicit AugMaxPerturbation(const AugMaxOptions& options) : options_(options) {}
  PerturbedViews make(Model& model, const Batch& batch, Key key) override {
    NM_CHECK_AS(ConfigError, batch.views >= 3,
                "perturb.kind = \"augmax\" mixes the chains that views.kind = \"augmax\" makes, got ",
                batch.views, " views");
    const std::int64_t count = batch.size();
    const Dtype precision = batch.images.dtype();
    const auto view = [&](int v) {  // steps of 0.1 and gradients' signs want more digits than bf16 has
      const Tensor images = batch.images.rows(v * count, (v + 1) * count);
      return precision == Dtype::f64 ? images : images.to(Dtype::f32);
    };
    std::vector<Tensor> chains;
    for (int v = 2; v < batch.views; ++v) chains.push_back(view(v));
    const auto logits_of = [&](const Tensor& x) { return evaluation_logits(model, x.to(precision)); };
    const Tensor adversarial = augmax(view(0), chains, batch.labels, logits_of, options_, key).to(precision);
    return {.images = concat({batch.images.rows(0, 2 * count), adversarial}), .own = 3, .views = 3};
  }

  int views(int) const override { return 3; }
  double passes() const override { return options_.iterations; }

 private:
  AugMaxOptions options_;
};

/// The structure of the random network lasts an epoch, its weights a step.
class Noise2NetPerturbation final : public Perturbation {
 public:
  Noise2NetPerturbation(const Noise2NetOptions& options, Key run) : options_(options), run_(run) {}
  PerturbedViews make(Model&, const Batch& batch, Key key) override {
    const NoGrad unrecorded;
    const Tensor clean = batch.images.rows(0, batch.size()).detach();
    const Tensor seen = noise2net(clean, options_, key, run_.child("structure").child(batch.epoch));
    return placed(batch, seen.to(clean.dtype()), false);
  }

 private:
  Noise2NetOptions options_;
  Key run_;
};

std::unique_ptr<Perturbation> make_gaussian(const PerturbConfig& config) {
  GaussianOptions options;
  options.noise = config.noise;
  options.diverse = config.noise_law == "uniform";
  options.copies = config.copies;
  options.keep_share = config.keep_share;
  options.mask = config.mask == "pixel" ? MaskUnit::pixel : MaskUnit::element;
  NM_CHECK_AS(ConfigError, config.keep_clean || config.copies == 1, "perturb.copies = ", config.copies,
              ", but without perturb.keep_clean one copy replaces the first view");
  return std::make_unique<GaussianPerturbation>(options, config.keep_clean);
}

std::unique_ptr<Perturbation> make_pgd(const PerturbConfig& config, const Normalization& normalization) {
  NM_CHECK_AS(ConfigError, config.epsilon >= 0,
              "perturb.epsilon, the radius of the attack, must be at least 0, got ", config.epsilon);
  PgdOptions options;
  options.epsilon = config.epsilon;
  options.norm = config.norm == "l2" ? AttackNorm::l2 : AttackNorm::linf;
  options.iterations = config.iterations;
  options.step = config.step;
  options.start = config.start == "random"   ? AttackStart::random
                  : config.start == "normal" ? AttackStart::normal
                                             : AttackStart::zero;
  options.clip = config.clip;
  return std::make_unique<PgdPerturbation>(options, config.attack == "kl", config.keep_clean, normalization);
}

}  // namespace

std::unique_ptr<Perturbation> make_perturbation(const PerturbConfig& config,
                                                const Normalization& normalization, Key key) {
  if (config.kind == "none") return nullptr;
  if (config.kind == "gaussian") return make_gaussian(config);
  if (config.kind == "pgd") return make_pgd(config, normalization);
  if (config.kind == "free") return make_free_perturbation(config.epsilon, normalization);
  if (config.kind == "noise2net") {
    return std::make_unique<Noise2NetPerturbation>(
        Noise2NetOptions{config.share, config.epsilon, config.hidden}, key);
  }
  if (config.kind == "augmax") {
    AugMaxOptions options;
    options.iterations = config.iterations;
    if (config.step > 0) options.step = config.step;
    options.friendly = config.friendly;
    return std::make_unique<AugMaxPerturbation>(options);
  }
  fail<ConfigError>("perturb.kind knows no \"", config.kind, '"');
}

}  // namespace noisymix
