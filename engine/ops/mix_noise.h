// Convex mixing of a batch with a permuted copy of itself and noise injection, fused into one pass (the core
// of mixup, manifold mixup, noisy mixup, NFM and NoisyMix; specification of the draws in
// augment/feature_mix.h).
#pragma once

#include <cstddef>
#include <cstdint>
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
/// itself (on a GPU only when there is no permutation either).
Tensor mix_noise(const Tensor& x, double lambda, const std::vector<std::int64_t>& permutation,
                 const std::vector<ViewNoise>& noise);

/// The bytes of a captured call's part "mix_noise" (engine/cuda/step_values.h) for other numbers. Whether rows
/// are mixed, the number of views and whether there is noise stay those of the captured call.
std::vector<std::byte> pack_mix_noise(double lambda, const std::vector<std::int64_t>& permutation,
                                      const std::vector<ViewNoise>& noise);

/// One call, for its kernels.
struct MixNoisePlan {
  double lambda = 1;
  bool mixes = false;
  std::vector<std::int64_t> permutation, inverse;  // empty where nothing is mixed
  std::vector<ViewNoise> noise;                    // levels are 0 where every entry is left out
  Tensor step;                                     // on a GPU, after the first pass: what pack_mix_noise() makes

  bool noisy() const;   ///< whether there is any noise
  bool scaled() const;  ///< whether there is multiplicative noise
};
/// forward is the op itself; its gradient are the factors of the noise alone and then the mix with the inverse
/// permutation.
enum class MixNoisePass { forward, factors, transposed };

namespace cuda {
void mix_noise(const Tensor& x, Tensor& y, MixNoisePlan& plan, MixNoisePass pass);
}  // namespace cuda

}  // namespace noisymix
