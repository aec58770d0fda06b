// Enlargement of an image's middle, linearly interpolated: what zoom blur, snow and zoom sequences share.
#pragma once

#include <cstdint>
#include <span>

#include "augment/scratch.h"

namespace noisymix {

/// Linear interpolation along an axis: position i of the result is
/// lower_weight[i] in[lower[i]] + upper_weight[i] in[upper[i]].
struct LinearAxis {
  std::span<std::int32_t> lower, upper;
  std::span<double> lower_weight, upper_weight;
};

/// Positions begin .. begin + count - 1 of an axis stretched from `size` to `stretched` positions, first upon
/// first and last upon last. A position that rounding puts behind the last one gets weights 0: the
/// benchmark's library sees nothing there. Lies in `scratch`.
LinearAxis stretched_axis(int size, int stretched, int begin, int count, Scratch& scratch);

/// The same for an axis of which clipped_zoom() shows `size` positions.
LinearAxis zoomed_axis(int size, double factor, Scratch& scratch);

/// Interpolates rows and columns of an image `width` wide; sums are formed in double. `out` has the sizes of
/// the axes and may not be `in`.
template <class T>
void interpolate(const T* in, T* out, int width, int channels, const LinearAxis& rows,
                 const LinearAxis& columns, Scratch& scratch);

/// Enlarges the middle of height x width x channels values by `factor` >= 1 to the image's own size: per
/// axis a crop of ceil(size / factor) positions, stretched to round(crop factor) and cut to the middle.
/// `out` may not be `in`. Throws ConfigError for a smaller factor.
template <class T>
void clipped_zoom(const T* in, T* out, int height, int width, int channels, double factor, Scratch& scratch);

}  // namespace noisymix
