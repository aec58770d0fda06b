// Corruption "gaussian_noise": normal noise is added.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/normal_noise.h"

namespace noisymix {

/// Standard deviation for values from 0 to 1, by parameter set.
inline constexpr BySeverity<double> kGaussianNoise[] = {
    {0.04, 0.06, 0.08, 0.09, 0.10},
    {0.04, 0.08, 0.12, 0.15, 0.18},
    {0.08, 0.12, 0.18, 0.26, 0.38},
};

/// clip(x + noise) from recorded or drawn noise (draw_normal_noise), see apply_normal_noise().
template <class T>
void gaussian_noise(const Image& image, std::span<const T> noise, Image& out, T* values = nullptr) {
  apply_normal_noise("gaussian_noise", NoiseForm::added, image, noise, out, values);
}

std::unique_ptr<Corruption> make_gaussian_noise(ParameterSet set, int severity);

}  // namespace noisymix
