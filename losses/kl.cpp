#include <limits>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/softmax.h"
#include "losses/losses.h"

namespace noisymix {
namespace {

void check_pair(const char* loss, const Tensor& a, const Tensor& b) {
  check_same_kind(loss, a, b);
  NM_CHECK(a.rank() == 2 && a.shape() == b.shape() && a.dim(0) > 0, "[", loss,
           "] expects two equal shapes [n, k] with n > 0, got ", a.shape(), " and ", b.shape());
}

}  // namespace

Tensor kl_divergence(const Tensor& log_q, const Tensor& p) {
  check_pair("kl_divergence", log_q, p);
  // 0 log 0 = 0: the clamp keeps the logarithm finite and leaves every normal number as it is.
  constexpr double kTiny = std::numeric_limits<float>::min(), kHuge = std::numeric_limits<float>::max();
  const Tensor log_p = log(clamp(p, kTiny, kHuge));
  return mul(sum(p * (log_p - log_q)), 1.0 / static_cast<double>(p.dim(0)));
}

Tensor kl_consistency(const Tensor& clean_logits, const Tensor& other_logits, double epsilon) {
  check_pair("kl_consistency", clean_logits, other_logits);
  const Tensor p = softmax(clean_logits), q = softmax(other_logits);
  const Tensor ratio = log(p + epsilon) - log(q + epsilon);
  return mul(sum(p * ratio), 1.0 / static_cast<double>(p.dim(0)));
}

}  // namespace noisymix
