#include "layers/layer_norm.h"

#include "engine/ops/layer_norm.h"
#include "layers/initialize.h"

namespace noisymix {

LayerNorm::LayerNorm(std::int64_t features, double epsilon)
    : epsilon_(epsilon),
      weight_(register_parameter("weight", Tensor::ones({features}))),
      bias_(register_parameter("bias", Tensor::zeros({features}))) {}

Tensor LayerNorm::forward(const Tensor& x, const Context&) {
  return layer_norm(x, weight_.to(x.dtype()), bias_.to(x.dtype()), epsilon_);
}

void LayerNorm::reset_parameters(Key) {
  fill_constant(weight_, 1);
  fill_constant(bias_, 0);
}

}  // namespace noisymix
