#include "layers/linear.h"

#include "engine/ops/matmul.h"

namespace noisymix {
namespace {

Shape weight_shape(std::int64_t in, std::int64_t out) {
  NM_CHECK(in > 0 && out > 0, "[Linear] ", in, " inputs and ", out, " outputs: both must be positive");
  return {out, in};
}

}  // namespace

Linear::Linear(std::int64_t in, std::int64_t out, bool bias, const InitialValues& initial)
    : initial_(initial),
      weight_(register_parameter("weight", Tensor::zeros(weight_shape(in, out)))),
      bias_(bias ? &register_parameter("bias", Tensor::zeros({out})) : nullptr) {}

Tensor Linear::forward(const Tensor& x, const Context&) {
  return linear(x, weight_, bias_ != nullptr ? *bias_ : Tensor());
}

void Linear::reset_parameters(Key key) {
  fill_weight(weight_, initial_.weight, key.child("weight"));
  if (bias_ != nullptr) fill_bias(*bias_, weight_.dim(1), initial_, key.child("bias"));
}

}  // namespace noisymix
