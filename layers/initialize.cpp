#include "layers/initialize.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/random.h"

namespace noisymix {

void fill_fan_in_uniform(Tensor& x, std::int64_t fan_in, Key key) {
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<std::int64_t>(fan_in, 1)));
  x.copy_from(random_uniform(x.shape(), key, -bound, bound, x.dtype()).to(x.device()));
}

void fill_constant(Tensor& x, double value) {
  x.copy_from(Tensor::full(x.shape(), value, x.dtype(), x.device()));
}

}  // namespace noisymix
