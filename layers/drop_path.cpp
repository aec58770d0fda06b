#include "layers/drop_path.h"

#include "engine/ops/dropout.h"

namespace noisymix {

DropPath::DropPath(double p) : p_(p) {
  NM_CHECK(p >= 0 && p < 1, "[DropPath] the probability must be in [0, 1), got ", p);
}

Tensor DropPath::forward(const Tensor& x, const Context& context) {
  return context.training && p_ > 0 ? drop_path(x, p_, context.key.child(path())) : x;
}

}  // namespace noisymix
