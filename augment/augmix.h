// AugMix (specification of the draws in docs/method.md): a convex mixture of randomly composed image operations.
#pragma once

#include "augment/image.h"
#include "engine/key.h"

namespace noisymix {

struct AugMixOptions {
  int severity = 3;        ///< 1..10; operation levels are uniform on [0.1, severity]
  int width = 3;           ///< number of chains
  int depth = -1;          ///< operations per chain; -1 draws 1..3 per chain
  double alpha = 1.0;      ///< Dirichlet(alpha) chain weights and Beta(alpha, alpha) skip weight
  bool all_operations = false;      ///< also color, contrast, brightness, sharpness
  bool random_severity = false;     ///< draw the severity 1..10 per image (DiGN)
};

/// out = (1 - m) P(image) + m sum_i w_i P(chain_i(image)), P = normalisation; height x width x channels floats.
void augmix(const Image& image, Key key, const AugMixOptions& options, const Normalization& normalization, float* out);

}  // namespace noisymix
