// The two ways to compute Noise2Net, equal up to rounding.
#pragma once

#include "augment/perturbations/noise2net_draws.h"
#include "engine/tensor.h"

namespace noisymix {

/// Images [n, h, w, channels] through the networks whose weights come from `key`, image i with those of
/// number i. By ops, f32 or f64 on any device.
Tensor noise2net_with_ops(const Tensor& images, const Noise2NetStructure& structure, double epsilon, Key key);

/// The same for f32 on the CPU, one image at a time in the caches of one core; the same bits for any number
/// of threads.
Tensor noise2net_by_image(const Tensor& images, const Noise2NetStructure& structure, double epsilon, Key key);

}  // namespace noisymix
