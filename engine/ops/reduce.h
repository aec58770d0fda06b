// Reductions over axes. An empty axis list means all axes. Sums are blocked and accumulate f32 in double.
#pragma once

#include <vector>

#include "engine/tensor.h"

namespace noisymix {

using Axes = std::vector<int>;
struct ReduceLayout;  // reduce_layout.h

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

namespace cuda {
void sum(const Tensor& x, Tensor& y, const ReduceLayout& layout, double scale);
void sum_grad(const Tensor& dy, Tensor& dx, const ReduceLayout& layout, double scale);
void variance(const Tensor& x, Tensor& y, Tensor& means, const ReduceLayout& layout, double divisor);
void variance_grad(const Tensor& dy, const Tensor& x, const Tensor& means, Tensor& dx,
                   const ReduceLayout& layout, double divisor);
void logsumexp(const Tensor& x, Tensor& y, Tensor& results, const ReduceLayout& layout);
void logsumexp_grad(const Tensor& dy, const Tensor& x, const Tensor& results, Tensor& dx,
                    const ReduceLayout& layout);
void l2norm(const Tensor& x, Tensor& y, Tensor& norm, const ReduceLayout& layout);
void l2norm_grad(const Tensor& dy, const Tensor& x, const Tensor& norm, Tensor& dx);
/// Largest or smallest elements, and the gradient that goes to the first of equal ones or is shared evenly.
void maxima(const Tensor& x, Tensor& y, const ReduceLayout& layout);
void minima(const Tensor& x, Tensor& y, const ReduceLayout& layout);
void extremum_grad_first(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                         const ReduceLayout& layout);
void extremum_grad_even(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                        const ReduceLayout& layout);
void argmax(const Tensor& x, Tensor& y, const ReduceLayout& layout);
}  // namespace cuda

}  // namespace noisymix
