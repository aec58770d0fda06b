#include "layers/linear.h"

#include "engine/ops/matmul.h"
#include "layers/initialize.h"

namespace noisymix {
namespace {

Shape weight_shape(std::int64_t in, std::int64_t out) {
  NM_CHECK(in > 0 && out > 0, "[Linear] ", in, " inputs and ", out, " outputs: both must be positive");
  return {out, in};
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, bool bias)
    : weight_(register_parameter("weight", Tensor::zeros(weight_shape(in, out)))),
      bias_(bias ? &register_parameter("bias", Tensor::zeros({out})) : nullptr) {}

Tensor Linear::forward(const Tensor& x, const Context&) {
  return linear(x, weight_, bias_ != nullptr ? *bias_ : Tensor());
}

void Linear::reset_parameters(Key key) {
  fill_fan_in_uniform(weight_, weight_.dim(1), key.child("weight"));
  if (bias_ != nullptr) fill_fan_in_uniform(*bias_, weight_.dim(1), key.child("bias"));
}

}  // namespace noisymix
