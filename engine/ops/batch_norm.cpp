#include "engine/ops/batch_norm.h"

#include <cmath>
#include <vector>

#include "engine/autograd.h"
#include "engine/cpu/channel_norm.h"
#include "engine/kernel.h"

namespace noisymix {
namespace {

constexpr Kernel moments_kernel{"batch_norm", cpu::channel_moments, nullptr, "moments"};
constexpr Kernel normalise_kernel{"batch_norm", cpu::normalise_channels, nullptr};
constexpr Kernel grad_sums_kernel{"batch_norm", cpu::channel_grad_sums, nullptr, "gradient sums"};
constexpr Kernel input_grad_kernel{"batch_norm", cpu::channel_input_grad, nullptr, "input gradient"};

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

/// running <- (1 - momentum) running + momentum batch
void update_running(Tensor& running, const std::vector<double>& batch, double momentum) {
  std::vector<double> values = running.to(Dtype::f64).to_vector<double>();
  for (std::size_t j = 0; j < values.size(); ++j)
    values[j] = (1 - momentum) * values[j] + momentum * batch[j];
  running.copy_from(Tensor::from(values, running.shape()).to(running.dtype()));
}

/// dweight = sum(g (x - mean)) / sqrt(variance + epsilon)
Tensor weight_grad(const cpu::ChannelNorm& norm, const Tensor& sums) {
  const std::vector<double> total = sums.to_vector<double>(), moments = norm.moments.to_vector<double>();
  std::vector<double> result(total.size() / 2);
  for (std::size_t j = 0; j < result.size(); ++j)
    result[j] = total[result.size() + j] / std::sqrt(moments[result.size() + j] + norm.epsilon);
  return Tensor::from(result, norm.weight.shape()).to(norm.weight.dtype());
}

/// Normalises, and records the gradient; `train` says whether the moments are functions of x.
Tensor normalise(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& moments,
                 const BatchNormOptions& options, bool train) {
  const cpu::ChannelNorm norm{moments, weight.detach(), bias.detach(), options.epsilon, options.relu};
  const Tensor kept = x.detach();
  Tensor y = normalise_kernel(kept, norm);
  const bool want_x = wants_grad(x), want_weight = wants_grad(weight), want_bias = wants_grad(bias);
  if (want_x || want_weight || want_bias)  // then x is kept, and y can be had from it
    y.set_recipe([kept, norm] { return normalise_kernel(kept, norm); });
  return record("batch_norm", {x, weight, bias}, y, [=](const Tensor& dy) {
    Grads grads(3);
    Tensor sums;
    if (train || want_weight || want_bias) sums = grad_sums_kernel(kept, dy, norm);
    if (want_x) grads[0] = input_grad_kernel(kept, dy, norm, train ? sums : Tensor());
    if (want_weight) grads[1] = weight_grad(norm, sums);
    if (want_bias) grads[2] = sums.rows(0, 1).reshape(norm.bias.shape()).to(norm.bias.dtype());
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
  const std::vector<double> values = moments.to_vector<double>();
  const auto middle = values.begin() + channels;
  std::vector<double> unbiased(middle, values.end());
  for (double& value : unbiased) value *= static_cast<double>(count) / static_cast<double>(count - 1);
  update_running(running_mean, std::vector<double>(values.begin(), middle), options.momentum);
  update_running(running_var, unbiased, options.momentum);
  return normalise(x, weight, bias, moments, options, true);
}

Tensor batch_norm_eval(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                       const Tensor& running_var, const BatchNormOptions& options) {
  check_inputs(x, weight, bias, running_mean, running_var);
  std::vector<double> moments = running_mean.to(Dtype::f64).to_vector<double>();
  const std::vector<double> variance = running_var.to(Dtype::f64).to_vector<double>();
  moments.insert(moments.end(), variance.begin(), variance.end());
  return normalise(x, weight, bias, Tensor::from(moments, Shape{2, x.dim(-1)}, x.device()), options, false);
}

}  // namespace noisymix
