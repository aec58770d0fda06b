// Images of four floats per pixel, of which the last is spare: one load fetches a whole RGB pixel. What the
// warps share.
#pragma once

#include <cstddef>
#include <cstring>

#include "augment/filters/gaussian_filter.h"
#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// The four floats of a pixel.
using Quad = float __attribute__((vector_size(16)));

/// Bytes to unit range; channels that the image lacks become 0. `quads` has height x width x 4 values.
void to_quads(const Image& image, float* quads, Scratch& scratch);
/// The first `channels` of every pixel, limited to the unit range, times 255. `values` has room for count x
/// channels + 3.
void from_quads(const float* quads, std::size_t count, int channels, float* values);

/// Where up to kMost pixels of a row come from: between four pixels, the upper left of which is at (top,
/// left), inside or outside the image, with weights of upper left, upper right, lower left, lower right.
struct QuadTaps {
  static constexpr int kMost = 64;
  alignas(64) int left[kMost], top[kMost];
  alignas(64) float weight[4][kMost];
};
/// The weighted sums, added in the order of the weights. `in` has height x width pixels.
void blend_quads(const float* in, int height, int width, Border border, const QuadTaps& taps, int count,
                 float* out);

}  // namespace noisymix
