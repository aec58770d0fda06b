// Means and filters over the 3 x 3 pixels around each one, the border mirrored without repeating the edge.
#pragma once

#include <cstdint>

#include "augment/scratch.h"

namespace noisymix {

/// Mean of whole numbers that count 1 / 65536 (kDistanceOne), cut off to whole units and, above, at 255. Not
/// above 2^31 / 9 each. All functions: height x width in and out, sides of 2 or more.
void mean3x3_truncated(const std::int32_t* in, int height, int width, std::uint8_t* out, Scratch& scratch);
/// Mean of bytes, rounded to the nearest.
void mean3x3_rounded(const std::uint8_t* in, int height, int width, std::uint8_t* out, Scratch& scratch);
/// Correlation with `weights`, in row-major order, between -8 and 8; results outside 0..255 become 0 or 255.
void correlate3x3(const std::uint8_t* in, int height, int width, const int (&weights)[9], std::uint8_t* out,
                  Scratch& scratch);

/// Spreads the levels of a grey image so that their cumulative shares become linear; the lowest level present
/// becomes 0. An image of one level stays as it is. `pixels`: count values, changed in place.
void equalize_histogram(std::uint8_t* pixels, int count);

}  // namespace noisymix
