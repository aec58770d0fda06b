// Corruption "speckle_noise": normal noise in proportion to the value.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/normal_noise.h"

namespace noisymix {

/// Standard deviation for values from 0 to 1, by parameter set.
inline constexpr BySeverity<double> kSpeckleNoise[] = {
    {0.06, 0.1, 0.12, 0.16, 0.2},
    {0.15, 0.2, 0.25, 0.3, 0.35},
    {0.15, 0.2, 0.35, 0.45, 0.6},
};

/// clip(x + x noise) from recorded or drawn noise (draw_normal_noise), see apply_normal_noise().
template <class T>
void speckle_noise(const Image& image, std::span<const T> noise, Image& out, T* values = nullptr) {
  apply_normal_noise("speckle_noise", NoiseForm::proportional, image, noise, out, values);
}

std::unique_ptr<Corruption> make_speckle_noise(ParameterSet set, int severity);

}  // namespace noisymix
