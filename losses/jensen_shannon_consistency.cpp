#include "engine/ops/elementwise.h"
#include "losses/losses.h"

namespace noisymix {

Tensor jensen_shannon_consistency(const Tensor& logits, std::int64_t views, double weight, double floor) {
  return mul(jensen_shannon(logits, views, floor), weight);
}

}  // namespace noisymix
