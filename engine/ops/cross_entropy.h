// Fused log-softmax and negative log-likelihood.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

enum class Reduction { mean, sum, none };

/// logits [n, k], labels i64 [n]: -log p[label]; with smoothing s the target is (1 - s) onehot + s / k.
/// Labels outside 0..k-1 throw ShapeError on the CPU and give NaN on a GPU. Result is a scalar, or [n]
/// without reduction.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing = 0,
                     Reduction reduction = Reduction::mean);

/// Soft targets [n, k] (gradient to the logits only): -sum_k target log p.
Tensor cross_entropy_soft(const Tensor& logits, const Tensor& targets, Reduction reduction = Reduction::mean);

// --- Kernels -----------------------------------------------------------------------------------------------

namespace cuda {
// As on the CPU, but a label outside 0..k-1 makes its loss NaN: the device cannot throw.
void cross_entropy(const Tensor& logits, const Tensor& labels, Tensor& y, Tensor& log_sums, double smoothing,
                   double scale);
void cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& labels, const Tensor& log_sums,
                        Tensor& dx, double smoothing, double scale);
void cross_entropy_soft(const Tensor& logits, const Tensor& targets, Tensor& y, Tensor& log_sums,
                        double scale);
void cross_entropy_soft_grad(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                             const Tensor& log_sums, Tensor& dx, double scale);
}  // namespace cuda

}  // namespace noisymix
