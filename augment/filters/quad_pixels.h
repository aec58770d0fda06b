// Images of four floats per pixel, of which the last is spare: one load fetches a whole RGB pixel. What the
// warps share.
#pragma once

#include <cstddef>
#include <cstring>
#include <span>

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

/// Weighted sums of four pixels, for up to kMost pixels of a row: where the four begin, in floats, and what
/// they weigh.
struct QuadTaps {
  static constexpr int kMost = 64;
  alignas(64) int offset[4][kMost];
  alignas(64) float weight[4][kMost];
};
/// out = w0 p0 + w1 p1 + w2 p2 + w3 p3, in this order.
void blend_quads(const float* in, const QuadTaps& taps, int count, float* out);

/// For positions first .. last along an axis of `size`, also outside: border_position() times `step`. Entry i
/// belongs to position first + i.
std::span<const int> take_positions(int first, int last, int size, Border border, int step, Scratch& scratch);

}  // namespace noisymix
