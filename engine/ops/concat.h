// Joining and splitting along an axis.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// Joins tensors that agree in all sizes but the one along `axis`.
Tensor concat(const std::vector<Tensor>& parts, int axis = 0);
/// Joins equal shapes along a new axis.
Tensor stack(const std::vector<Tensor>& parts, int axis = 0);
/// Consecutive pieces of the given sizes, which must add up to x.dim(axis).
std::vector<Tensor> split(const Tensor& x, const std::vector<std::int64_t>& sizes, int axis = 0);

}  // namespace noisymix
