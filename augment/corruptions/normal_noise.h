// What Gaussian and speckle noise share: normal draws that are added, as they are or in proportion to the
// value.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

enum class NoiseForm {
  added,         ///< x + noise
  proportional,  ///< x + x noise
};

/// Normal draws of mean 0 and this standard deviation, one for each byte of an image.
void draw_normal_noise(Key key, double deviation, std::span<float> noise);

/// clip(x + noise) or clip(x + x noise), with x in 0..1, times 255 and truncated. `noise` has one draw per
/// byte of the image, else ShapeError names the corruption `name`. `values`, unless null, receives what is
/// truncated. T is float or double; double agrees with the benchmark to the bit.
template <class T>
void apply_normal_noise(const char* name, NoiseForm form, const Image& image, std::span<const T> noise,
                        Image& out, T* values);

std::unique_ptr<Corruption> make_normal_noise(NoiseForm form, double deviation);

}  // namespace noisymix
