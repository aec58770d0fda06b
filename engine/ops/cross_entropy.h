// Fused log-softmax and negative log-likelihood.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

enum class Reduction { mean, sum, none };

/// logits [n, k], labels i64 [n]: -log p[label]; with smoothing s the target is (1 - s) onehot + s / k.
/// Labels outside 0..k-1 throw ShapeError. Result is a scalar, or [n] without reduction.
Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing = 0,
                     Reduction reduction = Reduction::mean);

/// Soft targets [n, k] (gradient to the logits only): -sum_k target log p.
Tensor cross_entropy_soft(const Tensor& logits, const Tensor& targets, Reduction reduction = Reduction::mean);

}  // namespace noisymix
