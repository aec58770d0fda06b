#include "augment/perturbations/augmax.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/concat.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/slice.h"
#include "engine/ops/softmax.h"

namespace noisymix {
namespace {

/// m and q of every image, [b, 1 + chains].
Tensor first_weights(const Tensor& clean, std::int64_t chains, Key key) {
  std::vector<double> drawn;
  for (std::int64_t i = 0; i < clean.dim(0); ++i)
    for (std::int64_t j = 0; j <= chains; ++j)
      drawn.push_back(key.child(i).uniform(static_cast<std::uint64_t>(j)));
  return Tensor::from(drawn, {clean.dim(0), chains + 1}).to(clean.dtype()).to(clean.device());
}

/// Column j of x [b, n] as [b, 1, ...], to multiply images of this rank with.
Tensor column(const Tensor& x, std::int64_t j, int rank) {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(rank), 1);
  sizes[0] = x.dim(0);
  return slice(x, {{0, x.dim(0)}, {j, j + 1}}).reshape(Shape(sizes));
}

Tensor mixture(const Tensor& clean, const std::vector<Tensor>& chains, const Tensor& weights) {
  const int rank = clean.rank();
  const Tensor share = column(weights, 0, rank);
  const Tensor q = softmax(slice(weights, {{0, weights.dim(0)}, {1, weights.dim(1)}}), 1);
  Tensor mixed = mul(clean, add(neg(share), 1.0));
  for (std::size_t i = 0; i < chains.size(); ++i)
    mixed = add(mixed, mul(chains[i], mul(share, column(q, static_cast<std::int64_t>(i), rank))));
  return mixed;
}

/// Counts the images that are misclassified, and gives 1 for those that go on, else 0, as [b, 1].
class FriendlyStop {
 public:
  FriendlyStop(const Tensor& labels, int patience)
      : labels_(labels.to_vector<std::int64_t>()), missed_(labels_.size(), 0), patience_(patience) {}
  void see(const Tensor& logits) {
    const auto predicted = argmax(logits, 1).to_vector<std::int64_t>();
    for (std::size_t i = 0; i < labels_.size(); ++i) missed_[i] += predicted[i] == labels_[i] ? 0 : 1;
  }
  Tensor going(const Tensor& like) const {
    std::vector<double> going;
    for (const int missed : missed_) going.push_back(missed < patience_ ? 1 : 0);
    return Tensor::from(going, {like.dim(0), 1}).to(like.dtype()).to(like.device());
  }

 private:
  std::vector<std::int64_t> labels_;
  std::vector<int> missed_;
  int patience_;
};

}  // namespace

Tensor augmax(const Tensor& clean, const std::vector<Tensor>& chains, const Tensor& labels,
              const LogitsOf& logits_of, const AugMaxOptions& options, Key key) {
  NM_CHECK_AS(ConfigError, !chains.empty(), "[augmax] needs at least one augmentation chain to mix");
  NM_CHECK_AS(ConfigError, options.iterations >= 0 && std::isfinite(options.step) && options.step >= 0,
              "[augmax] iterations and step must not be negative, got ", options.iterations, " and ",
              options.step);
  for (const Tensor& chain : chains)
    NM_CHECK(chain.shape() == clean.shape(), "[augmax] a chain has shape ", chain.shape(), ", the images ",
             clean.shape());
  const auto count = static_cast<std::int64_t>(chains.size());
  const NoGrad unrecorded;
  Tensor weights = first_weights(clean, count, key);
  FriendlyStop stop(labels, options.friendly);
  for (int i = 0; i < options.iterations; ++i) {
    const auto loss = [&](const Tensor& w) {
      const Tensor logits = logits_of(mixture(clean, chains, w));
      if (options.friendly > 0) stop.see(logits);
      return cross_entropy(logits, labels, 0, Reduction::sum);
    };
    Tensor move = mul(sign(input_gradient(loss, weights)), options.step);
    if (options.friendly > 0) move = mul(move, stop.going(move));
    weights = add(weights, move);
    // Only m is a share of one; q passes through a softmax and is free.
    const Tensor share = clamp(slice(weights, {{0, weights.dim(0)}, {0, 1}}), 0, 1);
    weights = concat({share, slice(weights, {{0, weights.dim(0)}, {1, count + 1}})}, 1);
  }
  return mixture(clean, chains, weights);
}

}  // namespace noisymix
