// Corruption "speckle_noise": normal noise in proportion to the value.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Standard deviation for values from 0 to 1, by parameter set.
inline constexpr BySeverity<double> kSpeckleNoise[] = {
    {0.06, 0.1, 0.12, 0.16, 0.2},
    {0.15, 0.2, 0.25, 0.3, 0.35},
    {0.15, 0.2, 0.35, 0.45, 0.6},
};

/// Normal draws of mean 0 and this standard deviation, one for each byte of an image.
void draw_speckle_noise(Key key, double deviation, std::span<float> noise);

/// clip(x + x noise), with x in 0..1, times 255 and truncated. `noise` has one draw per byte of the image.
/// `values`, unless null, receives what is truncated. T is float or double; double agrees with the benchmark
/// to the bit.
template <class T>
void speckle_noise(const Image& image, std::span<const T> noise, Image& out, T* values = nullptr);

std::unique_ptr<Corruption> make_speckle_noise(ParameterSet set, int severity);

}  // namespace noisymix
