#include "layers/dropout.h"

#include "engine/ops/dropout.h"

namespace noisymix {

Dropout::Dropout(double p) : p_(p) {
  NM_CHECK(p >= 0 && p < 1, "[Dropout] the probability must be in [0, 1), got ", p);
}

Tensor Dropout::forward(const Tensor& x, const Context& context) {
  return context.training && p_ > 0 ? dropout(x, p_, context.key.child(path())) : x;
}

}  // namespace noisymix
