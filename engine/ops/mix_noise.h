// Convex mixing of a batch with a permuted copy of itself and noise injection, fused into one pass (the core
// of mixup, manifold mixup, noisy mixup, NFM and NoisyMix; specification of the draws in
// augment/feature_mix.h).
#pragma once

#include <vector>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Law of the multiplicative noise entries.
enum class MultiplicativeLaw { uniform, normal };

/// Noise of one view: y = (1 + mult * xi_m) * z + add * xi_a with xi_a ~ N(0,1), xi_m ~ U(-1,1) or N(0,1) per
/// element, each entry independently left out (0) with probability sparse. The Beta(2,5) factor is already
/// inside add and mult.
struct ViewNoise {
  double add = 0;
  double mult = 0;
  double sparse = 0;
  MultiplicativeLaw law = MultiplicativeLaw::uniform;
  Key key{0};
};

/// x [v * b, ...] holds v = noise.size() views of b rows each. Per view z = lambda x + (1 - lambda)
/// x[permutation] with one lambda and one permutation (b indices, empty when lambda is 1) for all views, then
/// that view's noise. The noise is regenerated from the keys in the backward pass, never stored. Elements 2j
/// and 2j + 1 of a view (row-major) share block j of its key: words 0 and 1 are the radius and angle of a
/// Box-Muller pair, words 2 and 3 hold each element's masks and uniform draw, so every entry is the same
/// whichever kinds of noise are on. Noise is drawn in f32 for every dtype. lambda = 1 without noise returns x
/// itself.
Tensor mix_noise(const Tensor& x, double lambda, const std::vector<std::int64_t>& permutation,
                 const std::vector<ViewNoise>& noise);

}  // namespace noisymix
