#include "tools/scheme_label_loss.h"

#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "losses/losses.h"

namespace noisymix {
namespace {

/// Mean over the examples of r_i [argmax f_i = y_i] + (1 - r_i) [argmax f_i = y[permutation]_i].
double accuracy_of(const Tensor& logits, const Tensor& labels, const MixedLabels& mixed,
                   const std::vector<double>& shares) {
  const auto predicted = argmax(logits, 1).to_vector<std::int64_t>();
  const auto truth = labels.to_vector<std::int64_t>();
  double sum = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const std::size_t partner =
        mixed.permutation.empty() ? i : static_cast<std::size_t>(mixed.permutation[i]);
    sum += shares[i] * (predicted[i] == truth[i] ? 1 : 0) +
           (1 - shares[i]) * (predicted[i] == truth[partner] ? 1 : 0);
  }
  return sum / static_cast<double>(truth.size());
}

std::vector<std::int64_t> own_numbers(std::int64_t count) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < count; ++i) numbers.push_back(i);
  return numbers;
}

}  // namespace

ViewLoss label_loss(const Tensor& logits, const Tensor& labels, const MixedLabels& mixed,
                    const ViewLossOptions& options, bool binary) {
  NM_CHECK_AS(ConfigError, options.counted_views == 1,
              "objective.cross_entropy_views = \"all\" does not go with this mixing or classification loss");
  NM_CHECK_AS(ConfigError, !binary || options.label_smoothing == 0,
              "objective.label_smoothing does not go with binary_cross_entropy");
  const std::int64_t count = labels.numel();
  const Tensor wide = logits.dtype() == Dtype::bf16 ? logits.to(Dtype::f32) : logits;
  const Tensor first = wide.rows(0, count);
  std::vector<double> shares = mixed.shares;
  if (shares.empty()) shares.assign(static_cast<std::size_t>(count), mixed.lambda);
  const Tensor share = Tensor::from(shares, {count}).to(wide.dtype()).to(wide.device());
  const std::vector<std::int64_t> partners =
      mixed.permutation.empty() ? own_numbers(count) : mixed.permutation;
  const Tensor classification =
      binary ? soft_mixed_binary_cross_entropy(first, labels, share, partners)
             : soft_mixed_cross_entropy(first, labels, share, partners, options.label_smoothing);
  ViewLoss result{classification, {}};
  double consistency = 0;
  if (options.consistency_weight > 0) {
    const Tensor term = jensen_shannon_consistency(wide, options.views, options.consistency_weight,
                                                   options.consistency_floor);
    consistency = term.item();
    result.loss = add(classification, term);
  }
  const std::vector<double> terms = {classification.item(), consistency,
                                     accuracy_of(first, labels, mixed, shares)};
  result.terms = Tensor::from(terms, {3});
  return result;
}

}  // namespace noisymix
