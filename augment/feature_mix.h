// What is mixed and noised where: the second of a training scheme's three choices. Mixup, manifold mixup,
// noisy mixup, NFM, NoisyMix and the noise baselines are settings of FeatureMixOptions.
#pragma once

#include <vector>

#include "engine/ops/mix_noise.h"
#include "engine/tensor.h"

namespace noisymix {

enum class NoiseScale {
  beta25,
  fixed
};  ///< each level times one Beta(2,5) draw per view and kind, or as it is
enum class ViewScale {
  index,
  none
};  ///< additive level of view v (1, 2, ...) times v, or equal for all views

struct FeatureMixOptions {
  bool mix = false;    ///< convex mixing with a permuted batch; independent of the noise
  double alpha = 1.0;  ///< lambda ~ Beta(alpha, alpha); 0 means lambda = 1
  double add = 0;      ///< additive noise level
  double mult = 0;     ///< multiplicative noise level
  double sparse = 0;   ///< probability that an entry of either noise is left out
  NoiseScale scale = NoiseScale::beta25;
  ViewScale view_scale = ViewScale::index;
  MultiplicativeLaw law = MultiplicativeLaw::uniform;
  std::vector<int> layers;  ///< eligible stages; empty means every stage the model announces

  bool active() const { return mix || add > 0 || mult > 0; }
};

/// All draws of one training step: one stage, one lambda and one permutation shared by the views, fresh noise
/// per view.
struct FeatureMixDraw {
  int layer = 0;
  double lambda = 1;
  std::vector<std::int64_t> permutation;  ///< empty when nothing is mixed
  std::vector<ViewNoise> noise;           ///< one per view
};

/// Every draw has its own stream below `key`, so that no switch moves another one's draws: "layer", "lambda",
/// "permutation", and per view v = 1, 2, ... below "noise", v: "additive scale", "multiplicative scale"
/// (Beta(2,5)) and "elements" (see mix_noise).
///
/// Draws for a step; `stages` are those the model announces. Throws ConfigError when a wanted layer is not
/// among them.
FeatureMixDraw draw_feature_mix(const FeatureMixOptions& options, const std::vector<int>& stages,
                                std::int64_t batch, int views, Key key);

/// Mixes and noises an activation [views * batch, ...] as drawn.
Tensor apply_feature_mix(const FeatureMixDraw& draw, const Tensor& x);

}  // namespace noisymix
