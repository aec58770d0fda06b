// "Free" adversarial training: one delta lives from step to step, and the gradient that trains the weights
// moves it too.
#include <cmath>

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/concat.h"
#include "engine/ops/elementwise.h"
#include "tools/scheme_perturbation.h"

namespace noisymix {
namespace {

class FreePerturbation final : public Perturbation {
 public:
  FreePerturbation(double epsilon, const Normalization& normalization)
      : epsilon_(epsilon), normalization_(normalization) {
    NM_CHECK_AS(ConfigError, std::isfinite(epsilon) && epsilon >= 0,
                "perturb.epsilon, the radius of the attack, must be at least 0, got ", epsilon);
  }

  PerturbedViews make(Model&, const Batch& batch, Key) override {
    NM_CHECK_AS(ConfigError, batch.views == 1, "perturb.kind = \"free\" trains on one view, got ",
                batch.views);
    const NoGrad unrecorded;
    const Tensor x = batch.images.detach();
    NM_CHECK(x.rank() == 4, "[free] expects images [b, h, w, c], got ", x.shape());
    fit(x);
    const std::int64_t channels = x.dim(3);
    const Tensor scale = constants(x, channels, [this](int c) { return 1 / deviation(c); });
    const Tensor low = constants(x, channels, [this](int c) { return -mean(c) / deviation(c); });
    const Tensor high = constants(x, channels, [this](int c) { return (1 - mean(c)) / deviation(c); });
    const Tensor delta = delta_.rows(0, x.dim(0)).to(x.device()).to(x.dtype());
    input_ = minimum(maximum(add(x, mul(delta, scale)), low), high);
    input_.set_requires_grad();
    return {.images = input_, .own = 1, .views = 1};
  }

  /// delta <- clip(delta + epsilon sign(grad), +- epsilon). Deviations are positive, so the sign is that by a
  /// pixel, too.
  void step_done() override {
    const NoGrad unrecorded;
    const Tensor gradient = input_.grad();
    if (!gradient.defined()) return;
    const std::int64_t count = gradient.dim(0), all = delta_.dim(0);
    const Tensor old = delta_.rows(0, count).to(gradient.device());
    const Tensor moved = clamp(add(old, mul(sign(gradient.to(Dtype::f32)), epsilon_)), -epsilon_, epsilon_);
    delta_ = count == all ? moved : concat({moved, delta_.rows(count, all).to(moved.device())});
    input_ = {};
  }

  Module::Named state() const override {
    if (!delta_.defined()) return {};
    return {{"delta", delta_}};
  }
  void load_state(const Module::Named& values) override {
    for (const auto& [name, value] : values)
      if (name == "delta") delta_ = value.to(Dtype::f32);
  }

 private:
  /// A delta of zeros for the first batch, and again for a batch larger than any before.
  void fit(const Tensor& x) {
    if (delta_.defined() && delta_.dim(0) >= x.dim(0)) {
      NM_CHECK_AS(DataError, delta_.numel() / delta_.dim(0) == x.numel() / x.dim(0),
                  "the delta of free training was made for images of another size; begin the run anew");
      return;
    }
    delta_ = zeros_like(x.to(Dtype::f32));
  }
  template <typename Of>
  Tensor constants(const Tensor& x, std::int64_t channels, Of of) const {
    std::vector<double> values;
    for (int c = 0; c < channels; ++c) values.push_back(of(c));
    return Tensor::from(values, {channels}).to(x.dtype()).to(x.device());
  }
  double mean(int c) const { return static_cast<double>(normalization_.mean[c]); }
  double deviation(int c) const { return static_cast<double>(normalization_.stddev[c]); }

  double epsilon_;
  Normalization normalization_;
  Tensor delta_;  // f32 [largest batch, h, w, c], in pixels of [0, 1]
  Tensor input_;  // of the step at hand: its gradient moves delta
};

}  // namespace

std::unique_ptr<Perturbation> make_free_perturbation(double epsilon, const Normalization& normalization) {
  return std::make_unique<FreePerturbation>(epsilon, normalization);
}

}  // namespace noisymix
