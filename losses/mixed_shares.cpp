#include <limits>

#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#include "engine/ops/matmul.h"
#include "engine/ops/reduce.h"
#include "engine/ops/softmax.h"
#include "losses/losses.h"

namespace noisymix {
namespace {

void check_mix(const char* loss, const Tensor& logits, const Tensor& labels, const Tensor& shares,
               const std::vector<std::int64_t>& permutation) {
  NM_CHECK(logits.defined() && logits.rank() == 2 && is_floating(logits.dtype()) && logits.dim(0) > 0, "[",
           loss, "] expects floating logits [b, k] with b > 0, got ",
           logits.defined() ? "shape " + logits.shape().str() : "an undefined tensor");
  const std::int64_t batch = logits.dim(0);
  NM_CHECK(labels.numel() == batch && shares.numel() == batch && shares.rank() == 1 &&
               static_cast<std::int64_t>(permutation.size()) == batch,
           "[", loss, "] expects a label, a share and a partner for each of ", batch, " rows, got ",
           labels.numel(), " labels, shares of shape ", shares.shape(), " and a permutation of ",
           permutation.size());
}

Tensor partners_of(const Tensor& labels, const std::vector<std::int64_t>& permutation) {
  return index_select(labels, Tensor::from(permutation, {labels.numel()}, labels.device()));
}

/// 1 - x for constants.
Tensor rest(const Tensor& x) {
  return add(neg(x), 1);
}

}  // namespace

Tensor soft_mixed_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& shares,
                                const std::vector<std::int64_t>& permutation, double label_smoothing) {
  check_mix("soft_mixed_cross_entropy", logits, labels, shares, permutation);
  const Tensor own = cross_entropy(logits, labels, label_smoothing, Reduction::none);
  const Tensor partner =
      cross_entropy(logits, partners_of(labels, permutation), label_smoothing, Reduction::none);
  const Tensor weights = shares.detach().to(own.dtype());
  return mean(weights * own + rest(weights) * partner);
}

Tensor soft_mixed_binary_cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& shares,
                                       const std::vector<std::int64_t>& permutation) {
  check_mix("soft_mixed_binary_cross_entropy", logits, labels, shares, permutation);
  const std::int64_t batch = logits.dim(0), classes = logits.dim(1);
  const Tensor weights = shares.detach().to(logits.dtype()).reshape({batch, 1});
  const Tensor target = weights * one_hot(labels, classes, logits.dtype()) +
                        rest(weights) * one_hot(partners_of(labels, permutation), classes, logits.dtype());
  // 1 - p as the sum of the other classes' probabilities: the difference loses all digits where p is almost
  // 1, and its logarithm the gradient. What underflows even so is cut off, as the published code does at
  // e^-100.
  const Tensor p = softmax(logits);
  std::vector<double> others(static_cast<std::size_t>(classes * classes), 1.0);
  for (std::int64_t k = 0; k < classes; ++k) others[static_cast<std::size_t>(k * (classes + 1))] = 0;
  const Tensor all_but_one = Tensor::from(others, {classes, classes}).to(p.dtype()).to(p.device());
  const Tensor log_rest = log(clamp(matmul(p, all_but_one), std::numeric_limits<float>::min(), 2));
  return mul(mean(target * log_softmax(logits) + rest(target) * log_rest), -1);
}

}  // namespace noisymix
