#include "engine/ops/elementwise.h"
#include "engine/ops/gather.h"
#include "losses/losses.h"

namespace noisymix {

Tensor mixed_cross_entropy(const Tensor& logits, const Tensor& labels, double lambda,
                           const std::vector<std::int64_t>& permutation, double label_smoothing) {
  NM_CHECK(lambda >= 0 && lambda <= 1, "[mixed_cross_entropy] lambda must be in [0, 1], got ", lambda);
  const Tensor own = cross_entropy(logits, labels, label_smoothing);
  if (permutation.empty() || lambda == 1) return own;
  const auto count = static_cast<std::int64_t>(permutation.size());
  NM_CHECK(count == labels.numel(), "[mixed_cross_entropy] a permutation of ", count, " for ", labels.numel(),
           " labels");
  const Tensor partners = index_select(labels, Tensor::from(permutation, {count}, labels.device()));
  return lambda * own + (1 - lambda) * cross_entropy(logits, partners, label_smoothing);
}

}  // namespace noisymix
