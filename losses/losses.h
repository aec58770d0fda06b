// Losses from logits and targets to a scalar. The fused kernels are ops of the engine; here is what the
// papers compose.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/ops/cross_entropy.h"
#include "engine/ops/jensen_shannon.h"
#include "engine/tensor.h"

namespace noisymix {

/// lambda CE(logits, labels) + (1 - lambda) CE(logits, labels[permutation]); an empty permutation means plain
/// CE. Equal to CE with the soft label lambda y + (1 - lambda) y[permutation] (specification in
/// docs/method.md).
Tensor mixed_cross_entropy(const Tensor& logits, const Tensor& labels, double lambda,
                           const std::vector<std::int64_t>& permutation, double label_smoothing = 0);

/// The same with a share for each row, shares [b] (a constant): mean_i of shares_i CE(logits_i, y_i) + (1 -
/// shares_i) CE(logits_i, y[permutation]_i). PuzzleMix with the default of its two losses.
Tensor soft_mixed_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& shares,
                                const std::vector<std::int64_t>& permutation, double label_smoothing = 0);

/// The binary cross-entropy between p = softmax(logits) and the soft labels t = shares y + (1 - shares)
/// y[permutation], averaged over rows and classes: -mean(t log p + (1 - t) log(1 - p)); PuzzleMix's published
/// loss.
Tensor soft_mixed_binary_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& shares,
                                       const std::vector<std::int64_t>& permutation);

/// sum p (log p - log_q) / n for log_q [n, k], p [n, k], with 0 log 0 = 0; gradients for both.
Tensor kl_divergence(const Tensor& log_q, const Tensor& p);

/// sum_k p log((p + epsilon) / (q + epsilon)) averaged over rows, p = softmax(clean_logits), q =
/// softmax(other_logits); gradients through both (DiGN, TRADES).
Tensor kl_consistency(const Tensor& clean_logits, const Tensor& other_logits, double epsilon = 1e-14);

/// weight * Jensen-Shannon divergence of the views (logits [views * b, k]), their mean clamped from below to
/// floor.
Tensor jensen_shannon_consistency(const Tensor& logits, std::int64_t views, double weight,
                                  double floor = 1e-7);

/// mean((x - target)^2).
Tensor mean_squared_error(const Tensor& x, const Tensor& target);

}  // namespace noisymix
