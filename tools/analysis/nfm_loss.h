// The NFM loss of a two-class network of points: its exact value by sampling, and its expansion to second
// order into the ordinary loss and three regularisers.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/feature_mix.h"
#include "data/dataset.h"
#include "engine/key.h"
#include "engine/tensor.h"
#include "layers/activation.h"
#include "models/registry.h"

namespace noisymix {

/// Points in the plane with labels 0 and 1.
struct PlanePoints {
  Tensor x;  ///< f64 [n, 2]
  Tensor y;  ///< f64 [n]
  std::int64_t size() const { return y.dim(0); }
};

/// Throws ConfigError for a set without points, or of other shape or number of classes.
PlanePoints plane_points(const Dataset& data);

/// The law of one pair's mix: lambda ~ Beta(alpha, alpha), alpha = 0 meaning lambda = 1, then noise at the
/// input.
struct NfmLaw {
  double alpha = 1, add = 0.4, mult = 0.2;
  NoiseScale scale = NoiseScale::beta25;

  /// Moments of 1 - lambda where lambda ~ Beta(alpha + 1, alpha): to linear losses, mixing labels is the same
  /// as weighting lambda by itself.
  double first_moment() const { return alpha / (2 * alpha + 1); }
  double second_moment() const { return first_moment() / 2; }
  /// Variances of one element's noise.
  double additive_variance() const;
  double multiplicative_variance() const;
};

/// A fixed table of draws from the law, from which every pair takes its own stretch, so that losses of
/// several networks are compared on the same draws.
class NfmDraws {
 public:
  /// `draws` for each pair. Throws ConfigError for none, or for an impossible law.
  NfmDraws(const NfmLaw& law, int draws, Key key);

  int draws() const { return draws_; }
  /// Draws of one pair, numbered along the rows of the matrix of pairs: five arrays of draws() numbers one
  /// after another, lambda, the factors of both coordinates and their addends.
  const float* of_pair(std::int64_t pair) const;

 private:
  int draws_;
  std::vector<float> table_;
};

struct SampledLoss {
  double value = 0;
  double error = 0;  ///< standard error of the sampling; 0 for a single draw
};

/// (1 / n^2) sum over all pairs of E l(f(mixed and noised x), mixed y), l(f, y) = log(1 + e^f) - y f. `model`
/// is a two-layer network 2 -> units -> 1 in f64 on the CPU with that activation, whose parameters are read
/// by name. Independent of the number of threads.
SampledLoss sampled_nfm_loss(const Model& model, ActivationKind activation, const PlanePoints& points,
                             const NfmDraws& draws);

/// The expansion: the ordinary loss, and the three regularisers.
struct NfmExpansion {
  double standard = 0, r1 = 0, r2 = 0, r3 = 0;
  double sum() const { return standard + r1 + r2 + r3; }
};

/// Gradients by autograd, Hessians (for R3) as differences of them. Networks of ReLU have no curvature where
/// they have a derivative: their R3 is 0. Any network of points in f64 with one output.
NfmExpansion expand_nfm_loss(Model& model, ActivationKind activation, const PlanePoints& points,
                             const NfmLaw& law);

}  // namespace noisymix
