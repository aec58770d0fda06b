// Mixing at the input: parts of the partner image are pasted instead of blended. The other form of a scheme's
// second choice; blending at any stage is augment/feature_mix.h.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tools/scheme_perturbation.h"

namespace noisymix {

/// A step's images after mixing, and what became of the labels.
struct InputMixed {
  Tensor images;
  double lambda = 1;                      ///< share of the own label, for all examples
  std::vector<double> shares;             ///< the same for each example (PuzzleMix); empty: lambda
  std::vector<std::int64_t> permutation;  ///< the partners; empty: nothing was mixed
};

class InputMix {
 public:
  virtual ~InputMix() = default;
  /// Forward and backward passes over the batch that mix() takes.
  virtual double passes() const { return 0; }
  /// Pure in (weights, views, labels, key). All views of an image are cut alike.
  virtual InputMixed mix(Model& model, const PerturbedViews& views, const Tensor& labels, Key key) const = 0;
};

/// Null for kind "features" and when nothing is mixed. Throws ConfigError for settings out of range.
std::unique_ptr<InputMix> make_input_mix(const InputMixConfig& config, const FeatureMixOptions& mix,
                                         const Normalization& normalization);

}  // namespace noisymix
