#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "losses/losses.h"

namespace noisymix {

Tensor mean_squared_error(const Tensor& x, const Tensor& target) {
  NM_CHECK(x.shape() == target.shape(), "[mean_squared_error] x has shape ", x.shape(), ", the target ",
           target.shape());
  return mean(square(x - target));
}

}  // namespace noisymix
