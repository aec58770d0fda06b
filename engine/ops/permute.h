// Reordering of elements: axes, mirror images, expansion.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// Axis i of the result is axis order[i] of x. Copies.
Tensor permute(const Tensor& x, const std::vector<int>& order);
/// NCHW -> NHWC and back; also OIHW <-> OHWI.
Tensor to_channels_last(const Tensor& x);
Tensor to_channels_first(const Tensor& x);
/// Reverses the order along the given axes.
Tensor flip(const Tensor& x, const std::vector<int>& axes);
/// Repeats size-1 (and new leading) axes up to `shape`.
Tensor expand(const Tensor& x, const Shape& shape);

}  // namespace noisymix
