// CutMix: a box of every image is replaced by the same box of its partner.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

struct CutMixOptions {
  double probability = 0.5;  ///< of mixing a batch at all; 0.5 for CIFAR, 1 for ImageNet
  double alpha = 1;  ///< lambda ~ Beta(alpha, alpha) before clipping; 0 means lambda = 1, an empty box
};

/// The rows [top, bottom) and columns [left, right) of an image.
struct CutBox {
  std::int64_t top = 0, bottom = 0, left = 0, right = 0;

  std::int64_t area() const { return (bottom - top) * (right - left); }
  bool operator==(const CutBox&) const = default;
};

/// All draws of one training step, shared by every image and view of the batch.
struct CutMixDraw {
  bool active = false;                    ///< whether this batch is mixed
  CutBox box;                             ///< clipped to the image; empty when nothing is mixed
  std::vector<std::int64_t> permutation;  ///< partners; empty when nothing is mixed
  double lambda = 1;                      ///< share of its own image that a picture keeps: 1 - area / (h w)
};

/// Draws for a batch of images of the given size; each draw has its own stream below `key`: "active",
/// "lambda", "centre" (row, then column) and "permutation". The box has the sides int(size sqrt(1 - lambda))
/// and a centre uniform over the pixels; what falls outside is cut off, and lambda is made that of what
/// remains. Throws ConfigError for a probability outside [0, 1] or a negative alpha, ShapeError for empty
/// images.
CutMixDraw draw_cutmix(const CutMixOptions& options, std::int64_t batch, std::int64_t height,
                       std::int64_t width, Key key);

/// Pastes the box of the partner into images [views * b, h, w, c] of any floating dtype, on their device: row
/// v b + i gets the box of row v b + permutation[i]. Returns `images` itself when nothing is mixed. Throws
/// ShapeError when the draw was made for another batch.
Tensor apply_cutmix(const CutMixDraw& draw, const Tensor& images, std::int64_t views = 1);

}  // namespace noisymix
