// Convolution with its weights.
#pragma once

#include "engine/ops/conv2d.h"
#include "layers/batch_norm2d.h"
#include "layers/initialize.h"
#include "layers/module.h"

namespace noisymix {

/// x [n, h, w, in] -> [n, ho, wo, out] with a square kernel. State: weight [out, kernel, kernel, in / groups]
/// (files hold PyTorch's [out, in / groups, kernel, kernel]), bias [out] unless left out. Initial values:
/// U(-1, 1) / sqrt(fan_in) unless told otherwise.
class Conv2d : public Module {
 public:
  Conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv2dOptions& options = {},
         bool bias = true, const InitialValues& initial = {});

  /// The convolution of x plus `residual`, of the shape of the result, in one pass over memory.
  Tensor plus(const Tensor& x, const Tensor& residual) const;

  /// norm(convolution of x + residual). Where no gradient is wanted, in evaluation, that is one pass over
  /// memory; otherwise the two modules run one after the other. `residual` may be undefined.
  Tensor then(BatchNorm2d& norm, const Tensor& x, const Context& context, const Tensor& residual = {});

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  void reset_parameters(Key key) override;

 private:
  Conv2dOptions options_;
  InitialValues initial_;
  Tensor& weight_;
  Tensor* bias_;  // null without bias
};

}  // namespace noisymix
