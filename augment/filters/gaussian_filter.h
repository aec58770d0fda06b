// Smoothing with a separable Gaussian.
#pragma once

#include "augment/scratch.h"

namespace noisymix {

/// What lies outside an image, for abcd.
enum class Border {
  nearest,  ///< aaaa|abcd|dddd
  reflect,  ///< dcba|abcd|dcba, the edge repeated
  mirror,   ///< _dcb|abcd|cba_, the edge not repeated ("101")
};

/// The position inside 0 .. size-1 that stands for position `i`, however far outside.
int border_position(int i, int size, Border border);

/// Correlates rows, then columns, of height x width x channels values with exp(-i^2 / (2 sigma^2)),
/// |i| <= int(truncate sigma + 1/2), normalised to sum 1. Sums are formed in double, symmetric pairs first;
/// the result of the first pass is rounded to T. sigma 0 copies. `out` may be `in`.
template <class T>
void gaussian_filter(const T* in, T* out, int height, int width, int channels, double sigma, double truncate,
                     Border border, Scratch& scratch);

}  // namespace noisymix
