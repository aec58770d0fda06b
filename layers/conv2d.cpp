#include "layers/conv2d.h"

#include "engine/autograd.h"

namespace noisymix {
namespace {

Shape weight_shape(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t groups) {
  NM_CHECK(in > 0 && out > 0 && kernel > 0 && groups > 0 && in % groups == 0 && out % groups == 0,
           "[Conv2d] ", in, " and ", out, " channels with kernel ", kernel, " and ", groups,
           " groups: all must be positive and both channel counts divisible by the groups");
  return {out, kernel, kernel, in / groups};
}

}  // namespace

Conv2d::Conv2d(std::int64_t in, std::int64_t out, std::int64_t kernel, const Conv2dOptions& options,
               bool bias, const InitialValues& initial)
    : options_(options),
      initial_(initial),
      weight_(register_parameter("weight", Tensor::zeros(weight_shape(in, out, kernel, options.groups)))),
      bias_(bias ? &register_parameter("bias", Tensor::zeros({out})) : nullptr) {}

Tensor Conv2d::forward(const Tensor& x, const Context&) {
  return conv2d(x, weight_, bias_ != nullptr ? *bias_ : Tensor(), options_);
}

Tensor Conv2d::then(BatchNorm2d& norm, const Tensor& x, const Context& context, const Tensor& residual) {
  const bool fuses = !context.training && NoGrad::active() && norm.has_affine() && x.dtype() != Dtype::f64;
  if (!fuses) return norm(residual.defined() ? plus(x, residual) : (*this)(x, context), context);
  return located([&] {
    return conv2d_affine(x, weight_, bias_ != nullptr ? *bias_ : Tensor(), options_, residual, norm.affine());
  });
}

Tensor Conv2d::plus(const Tensor& x, const Tensor& residual) const {
  return located(
      [&] { return conv2d(x, weight_, bias_ != nullptr ? *bias_ : Tensor(), options_, residual); });
}

void Conv2d::reset_parameters(Key key) {
  const std::int64_t fan_in = weight_.numel() / weight_.dim(0);
  fill_weight(weight_, initial_.weight, key.child("weight"));
  if (bias_ != nullptr) fill_bias(*bias_, fan_in, initial_, key.child("bias"));
}

}  // namespace noisymix
