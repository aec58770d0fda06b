// Correlation with a list of taps: the image is widened at its borders, then every tap is a shifted copy of
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/filters/gaussian_filter.h"
#include "augment/scratch.h"

namespace noisymix {

/// One sample of a kernel: its place relative to the result's pixel, and its weight.
struct Tap {
  int column = 0, row = 0;
  double weight = 0;
};

/// Correlates height x width x channels values table[byte] with `taps`. Sums are formed in double, in the
/// order of the taps.
void sum_taps(const std::uint8_t* in, int height, int width, int channels, const double* table,
              std::span<const Tap> taps, Border border, double* out, Scratch& scratch);

}  // namespace noisymix
