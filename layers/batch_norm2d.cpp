#include "layers/batch_norm2d.h"

#include <cmath>
#include <vector>

#include "engine/ops/batch_norm.h"
#include "engine/ops/count_up.h"
#include "layers/initialize.h"

namespace noisymix {

BatchNorm2d::BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options)
    : options_(options),
      weight_(register_parameter("weight", Tensor::ones({channels}))),
      bias_(register_parameter("bias", Tensor::zeros({channels}))),
      running_mean_(register_buffer("running_mean", Tensor::zeros({channels}))),
      running_var_(register_buffer("running_var", Tensor::ones({channels}))),
      num_batches_tracked_(register_buffer("num_batches_tracked", Tensor::zeros({}, Dtype::i64))) {}

Tensor BatchNorm2d::forward(const Tensor& x, const Context& context) {
  const bool fused = options_.activation == ActivationKind::relu;
  const BatchNormOptions op{options_.epsilon, options_.momentum, fused};
  Tensor y;
  if (context.training && !statistics_held_) {
    y = batch_norm_train(x, weight_, bias_, running_mean_, running_var_, op);
    count_up(num_batches_tracked_);
  } else {
    y = batch_norm_eval(x, weight_, bias_, running_mean_, running_var_, op);
  }
  return fused ? y : activate(options_.activation, y);
}

ChannelAffine BatchNorm2d::affine() const {
  NM_CHECK(has_affine(), "[BatchNorm2d] only identity and relu can follow in the same pass");
  const auto wide = [](const Tensor& t) { return t.detach().to(Dtype::f64).to_vector<double>(); };
  const std::vector<double> weight = wide(weight_), bias = wide(bias_), mean = wide(running_mean_),
                            variance = wide(running_var_);
  std::vector<float> scale(weight.size()), shift(weight.size());
  for (std::size_t j = 0; j < weight.size(); ++j) {
    const double factor = weight[j] / std::sqrt(variance[j] + options_.epsilon);
    scale[j] = static_cast<float>(factor);
    shift[j] = static_cast<float>(bias[j] - mean[j] * factor);
  }
  const Shape shape = weight_.shape();
  const Device device = weight_.device();
  return {Tensor::from(scale, shape, device), Tensor::from(shift, shape, device),
          options_.activation == ActivationKind::relu};
}

void BatchNorm2d::reset_parameters(Key) {
  fill_constant(weight_, 1);
  fill_constant(bias_, 0);
  fill_constant(running_mean_, 0);
  fill_constant(running_var_, 1);
  fill_constant(num_batches_tracked_, 0);
}

}  // namespace noisymix
