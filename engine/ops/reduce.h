// Reductions over axes. An empty axis list means all axes. Sums are blocked and accumulate f32 in double.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

using Axes = std::vector<int>;

Tensor sum(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor mean(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Variance with divisor n - 1 (unbiased) or n, two passes.
Tensor variance(const Tensor& x, const Axes& axes = {}, bool keepdim = false, bool unbiased = true);
/// Largest / smallest element; on ties over several axes the gradient is split evenly, over one axis the first gets it.
Tensor max(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
Tensor min(const Tensor& x, const Axes& axes = {}, bool keepdim = false);
/// Index (i64) of the first largest element along an axis.
Tensor argmax(const Tensor& x, int axis, bool keepdim = false);
/// log(sum(exp(x))), stable.
Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim = false);
/// Square root of the sum of squares of all elements.
Tensor l2norm(const Tensor& x);

}  // namespace noisymix
