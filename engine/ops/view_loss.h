// The whole NoisyMix loss of a step, mixed cross entropy and Jensen-Shannon consistency of the views, in one
// pass.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/tensor.h"

namespace noisymix {

struct ViewLossOptions {
  std::int64_t views = 1;
  std::int64_t counted_views = 1;  ///< the first of the views, over which the cross entropy is averaged
  double lambda = 1;               ///< share of an example's own label, the rest is its partner's
  std::vector<std::int64_t> permutation;  ///< the partners [b]; empty means that no labels are mixed
  double label_smoothing = 0;
  double consistency_weight = 0;  ///< gamma of the paper; 0 leaves the term out
  double consistency_floor = 1e-7;
};

struct ViewLoss {
  Tensor loss;   ///< scalar on the tape; f64 for f64 logits, else f32
  Tensor terms;  ///< f64 [3]: cross entropy and weighted consistency, whose sum is the loss, and the accuracy
};

/// logits [views * b, k], the views one after another, labels i64 [b]:
///   L = mean_v (lambda CE(f_v, y) + (1 - lambda) CE(f_v, y[permutation])) + gamma JS(p_1, ..., p_V)
/// with v over the counted views. The accuracy is that of the first view, mixed as the labels are: the mean
/// of lambda [argmax f = y] + (1 - lambda) [argmax f = y[permutation]]. The same as mixed_cross_entropy() and
/// jensen_shannon(), which define the terms; here every row's softmax is taken once, and the gradient is
/// found on the way instead of in a second pass. With bf16 logits everything else is f32. Labels outside
/// 0..k-1 throw ShapeError on the CPU and give NaN on a GPU, which cannot throw.
ViewLoss view_loss(const Tensor& logits, const Tensor& labels, const ViewLossOptions& options);

/// What a recorded step reads anew as "view_loss" (see cuda/step_values.h): lambda, then the partners if
/// there are any.
std::vector<std::byte> pack_view_loss(const ViewLossOptions& options);

// --- Kernels -----------------------------------------------------------------------------------------------

namespace cuda {
/// `values` are the packed ones, u8.
void view_loss(const Tensor& logits, const Tensor& labels, const Tensor& values, Tensor& gradient,
               Tensor& loss, Tensor& terms, const ViewLossOptions& options);
}  // namespace cuda

}  // namespace noisymix
