// Batch normalisation over all axes but the last (channels).
#pragma once

#include "engine/ops/batch_norm_layout.h"
#include "engine/tensor.h"

namespace noisymix {

struct BatchNormOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< running <- (1 - momentum) running + momentum batch
  bool relu = false;      ///< apply max(y, 0) in the same pass
};

/// Training: normalises x [..., c] with its own mean and biased variance per channel, and updates running_mean and
/// running_var [c] (f32 or x's dtype) in place with the unbiased variance. Needs more than one value per channel.
/// weight and bias [c]; statistics accumulate in double.
Tensor batch_norm_train(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& running_mean,
                        Tensor& running_var, const BatchNormOptions& options = {});

/// Evaluation: normalises with the running statistics. Gradients for x, weight and bias.
Tensor batch_norm_eval(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const BatchNormOptions& options = {});

/// The counterparts of engine/cpu/channel_norm.h and of the kernels in batch_norm.cpp.
namespace cuda {
Tensor channel_moments(const Tensor& x);
Tensor normalise_channels(const Tensor& x, const ChannelNorm& norm);
Tensor channel_grad_sums(const Tensor& x, const Tensor& dy, const ChannelNorm& norm);
Tensor channel_input_grad(const Tensor& x, const Tensor& dy, const ChannelNorm& norm, const Tensor& sums);
void update_running(const Tensor& moments, Tensor& mean, Tensor& variance, double momentum, std::int64_t count);
void running_moments(const Tensor& mean, const Tensor& variance, Tensor& moments);
void channel_parameter_grads(const Tensor& sums, const ChannelNorm& norm, Tensor& dweight, Tensor& dbias);
}  // namespace cuda

}  // namespace noisymix
