#include "engine/ops/batch_norm.h"

#include <cmath>
#include <vector>

#include "engine/autograd.h"
#include "engine/cpu/channel_norm.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

/// Both running <- (1 - momentum) running + momentum batch; the variance of `count` values becomes unbiased.
void update_running(const Tensor& moments, Tensor& mean, Tensor& variance, double momentum,
                    std::int64_t count) {
  const double* batch = moments.data<double>();
  const auto update = [&](Tensor& running, double factor) {
    std::vector<double> values = running.to(Dtype::f64).to_vector<double>();
    for (double& value : values) value = (1 - momentum) * value + momentum * (*batch++ * factor);
    running.copy_from(Tensor::from(values, running.shape()).to(running.dtype()));
  };
  update(mean, 1);
  update(variance, static_cast<double>(count) / static_cast<double>(count - 1));
}

/// moments (f64 [2, c]) = the running statistics.
void running_moments(const Tensor& mean, const Tensor& variance, Tensor& moments) {
  moments.rows(0, 1).copy_from(mean.to(Dtype::f64).reshape({1, mean.dim(0)}));
  moments.rows(1, 2).copy_from(variance.to(Dtype::f64).reshape({1, variance.dim(0)}));
}

/// dweight = sum(g (x - mean)) / sqrt(variance + epsilon), dbias = sum(g); undefined tensors are left out.
void channel_parameter_grads(const Tensor& sums, const ChannelNorm& norm, Tensor& dweight, Tensor& dbias) {
  const double *total = sums.data<double>(), *moments = norm.moments.data<double>();
  const std::int64_t channels = sums.dim(1);
  if (dweight.defined()) {
    std::vector<double> result(static_cast<std::size_t>(channels));
    for (std::int64_t j = 0; j < channels; ++j)
      result[static_cast<std::size_t>(j)] =
          total[channels + j] / std::sqrt(moments[channels + j] + norm.epsilon);
    dweight.copy_from(Tensor::from(result, dweight.shape()).to(dweight.dtype()));
  }
  if (dbias.defined()) dbias.copy_from(sums.rows(0, 1).reshape(dbias.shape()).to(dbias.dtype()));
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel moments_kernel{"batch_norm", cpu::channel_moments, NM_CUDA(cuda::channel_moments),
                                "moments"};
constexpr Kernel normalise_kernel{"batch_norm", cpu::normalise_channels, NM_CUDA(cuda::normalise_channels)};
constexpr Kernel grad_sums_kernel{"batch_norm", cpu::channel_grad_sums, NM_CUDA(cuda::channel_grad_sums),
                                  "gradient sums"};
constexpr Kernel input_grad_kernel{"batch_norm", cpu::channel_input_grad, NM_CUDA(cuda::channel_input_grad),
                                   "input gradient"};
constexpr Kernel update_kernel{"batch_norm", cpu::update_running, NM_CUDA(cuda::update_running),
                               "running statistics"};
constexpr Kernel running_kernel{"batch_norm", cpu::running_moments, NM_CUDA(cuda::running_moments),
                                "running statistics"};
constexpr Kernel parameter_grads_kernel{"batch_norm", cpu::channel_parameter_grads,
                                        NM_CUDA(cuda::channel_parameter_grads), "parameter gradients"};

void check_channels(const Tensor& x, const char* name, const Tensor& values) {
  const std::int64_t channels = x.dim(-1);
  NM_CHECK(values.shape() == Shape{channels}, "[batch_norm] expects ", name, " [", channels,
           "] for x of shape ", x.shape(), ", got shape ", values.shape());
  NM_CHECK(values.dtype() == x.dtype() || values.dtype() == Dtype::f32, "[batch_norm] expects ", name,
           " in f32 or ", x.dtype(), ", got ", values.dtype());
  NM_CHECK(values.device() == x.device(), "[batch_norm] ", name, " and x lie on different devices");
}

void check_inputs(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var) {
  NM_CHECK(x.rank() >= 2, "[batch_norm] expects x [n, ..., c], got shape ", x.shape());
  NM_CHECK(is_floating(x.dtype()), "[batch_norm] expects a floating dtype (f32, bf16, f64), got ", x.dtype());
  check_channels(x, "weight", weight);
  check_channels(x, "bias", bias);
  check_channels(x, "running_mean", running_mean);
  check_channels(x, "running_var", running_var);
}

/// Normalises, and records the gradient; `train` says whether the moments are functions of x.
Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& moments,
                 const BatchNormOptions& options, bool train) {
  const ChannelNorm norm{moments, weight.detach(), bias.detach(), options.epsilon, options.relu};
  const Tensor kept = x.detach();
  Tensor y = normalise_kernel(kept, norm);
  const bool want_x = wants_grad(x), want_weight = wants_grad(weight), want_bias = wants_grad(bias);
  // When x is kept, y can be had from it. On a GPU that would cost time, and memory is not what is short.
  if (x.device().is_cpu() && (want_x || want_weight || want_bias))
    y.set_recipe([kept, norm] { return normalise_kernel(kept, norm); });
  return record("batch_norm", {x, weight, bias}, y, [=](const Tensor& dy) {
    Grads grads(3);
    Tensor sums;
    if (train || want_weight || want_bias) sums = grad_sums_kernel(kept, dy, norm);
    if (want_x) grads[0] = input_grad_kernel(kept, dy, norm, train ? sums : Tensor());
    if (want_weight) grads[1] = empty_like(norm.weight);
    if (want_bias) grads[2] = empty_like(norm.bias);
    if (want_weight || want_bias) parameter_grads_kernel(sums, norm, grads[1], grads[2]);
    return grads;
  });
}

}  // namespace

Tensor batch_norm_train(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& running_mean,
                        Tensor& running_var, const BatchNormOptions& options) {
  check_inputs(x, weight, bias, running_mean, running_var);
  const std::int64_t channels = x.dim(-1), count = channels == 0 ? 0 : x.numel() / channels;
  NM_CHECK(count > 1, "[batch_norm] training needs more than one value per channel, got x of shape ",
           x.shape());
  const Tensor moments = moments_kernel(x.detach());
  update_kernel(moments, running_mean, running_var, options.momentum, count);
  return normalise(x, weight, bias, moments, options, true);
}

Tensor batch_norm_eval(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const BatchNormOptions& options) {
  check_inputs(x, weight, bias, running_mean, running_var);
  Tensor moments = Tensor::empty({2, x.dim(-1)}, Dtype::f64, x.device());
  running_kernel(running_mean.detach(), running_var.detach(), moments);
  return normalise(x, weight, bias, moments, options, false);
}

}  // namespace noisymix
