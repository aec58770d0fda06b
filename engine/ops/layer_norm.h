// Normalisation of each sample by itself.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

/// Normalises the last weight.rank() axes of x by their mean and biased variance; weight and bias have their shape.
Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon = 1e-5);

/// x [n, ..., c]: normalises each sample and group of c / groups channels; weight and bias [c].
Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t groups,
                  double epsilon = 1e-5);

}  // namespace noisymix
