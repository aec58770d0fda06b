// Copies of a batch with Gaussian noise of a strength of their own: DiGN's diverse noise, and the single
// level of random self-ensembles.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// What the noise leaves out as one: single values, or pixels with all their channels (register D23).
enum class MaskUnit { element, pixel };

struct GaussianOptions {
  double noise = 0.2;     ///< standard deviation, in units of what the network sees
  bool diverse = true;    ///< DiGN: each image draws its own from U(0, noise)
  int copies = 1;         ///< noisy versions of each image
  double keep_share = 1;  ///< probability that an entry has noise at all (DiGN's ImageNette recipe: 0.2)
  MaskUnit mask = MaskUnit::element;
};

/// images [b, h, w, c] (or [b, features]) -> [copies * b, ...], copy after copy, not clipped. Everything
/// about image i of copy k comes from key.child(k).child(i). Throws ConfigError for a negative level or a
/// share outside [0, 1].
Tensor gaussian_copies(const Tensor& images, const GaussianOptions& options, Key key);

}  // namespace noisymix
