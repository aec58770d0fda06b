#include "augment/mixing/puzzlemix/saliency.h"

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

namespace noisymix {

Tensor saliency_of_gradient(const Tensor& gradient) {
  NM_CHECK(gradient.defined() && gradient.rank() == 4, "[saliency] expects a gradient [n, h, w, c], got ",
           gradient.defined() ? "shape " + gradient.shape().str() : "an undefined tensor");
  NM_CHECK(gradient.dtype() == Dtype::f32 || gradient.dtype() == Dtype::f64,
           "[saliency] expects f32 or f64, got ", gradient.dtype());
  const NoGrad unrecorded;
  // The gradient of a network that is sure of itself is so small that its squares may vanish: largest element
  // of each image first.
  const double least = gradient.dtype() == Dtype::f64 ? 0x1p-1022 : 0x1p-126;
  const Tensor scale = maximum(max(abs(gradient), {1, 2, 3}, true),
                               Tensor::scalar(least, gradient.dtype(), gradient.device()));
  const Tensor lengths = sqrt(mean(square(div(gradient, scale)), {3}, true));
  return mul(lengths, scale).reshape({gradient.dim(0), gradient.dim(1), gradient.dim(2)});
}

Tensor input_saliency(const AttackLoss& loss_of, const Tensor& x) {
  return saliency_of_gradient(input_gradient(loss_of, x));
}

}  // namespace noisymix
