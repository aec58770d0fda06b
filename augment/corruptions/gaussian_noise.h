// Corruption "gaussian_noise": normal noise is added.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Standard deviation for values from 0 to 1, by parameter set.
inline constexpr BySeverity<double> kGaussianNoise[] = {
    {0.04, 0.06, 0.08, 0.09, 0.10},
    {0.04, 0.08, 0.12, 0.15, 0.18},
    {0.08, 0.12, 0.18, 0.26, 0.38},
};

/// Normal draws of mean 0 and this standard deviation, one for each byte of an image.
void draw_gaussian_noise(Key key, double deviation, std::span<float> noise);

/// clip(x + noise), with x in 0..1, times 255 and truncated. `noise` has one draw per byte of the image.
/// `values`, unless null, receives what is truncated. T is float or double; double agrees with the benchmark
/// to the bit.
template <class T>
void gaussian_noise(const Image& image, std::span<const T> noise, Image& out, T* values = nullptr);

std::unique_ptr<Corruption> make_gaussian_noise(ParameterSet set, int severity);

}  // namespace noisymix
