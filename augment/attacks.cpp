#include "augment/attacks.h"

#include <cmath>
#include <vector>

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/concat.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/random.h"
#include "engine/ops/reduce.h"

namespace noisymix {
namespace {

const Axes kImageAxes = {1, 2, 3};
constexpr double kNormalStart = 0.001;  // deviation of TRADES' first point

void check_batch(const char* attack, const Tensor& x, double epsilon) {
  NM_CHECK(x.defined() && x.rank() == 4, "[", attack, "] expects images [n, h, w, c], got ",
           x.defined() ? "shape " + x.shape().str() : "an undefined tensor");
  NM_CHECK(x.dim(3) == 1 || x.dim(3) == 3, "[", attack, "] expects 1 or 3 channels, x has shape ", x.shape());
  NM_CHECK(x.dtype() == Dtype::f32 || x.dtype() == Dtype::f64, "[", attack, "] expects f32 or f64, got ",
           x.dtype());
  NM_CHECK_AS(ConfigError, epsilon >= 0 && std::isfinite(epsilon), "[", attack,
              "] epsilon must be a number of at least 0, got ", epsilon);
}

/// The space in which epsilon is measured, and the way to the model's.
class Space {
 public:
  Space(const Tensor& x, const Normalization& normalization, AttackSpace space, bool clip)
      : x_(x.detach()), clip_(clip) {
    std::vector<double> scale, low, high;
    for (std::int64_t c = 0; c < x.dim(3); ++c) {
      const double mean = static_cast<double>(normalization.mean[c]);
      const double stddev = static_cast<double>(normalization.stddev[c]);
      NM_CHECK_AS(ConfigError, stddev > 0, "[attack] deviations of a normalisation must be positive, got ",
                  stddev);
      scale.push_back(space == AttackSpace::unit ? 1 / stddev : 1);
      low.push_back((0 - mean) / stddev);
      high.push_back((1 - mean) / stddev);
    }
    scale_ = channels(scale);
    low_ = channels(low);
    high_ = channels(high);
  }

  /// x + delta for the model, in the data range if wanted.
  Tensor moved(const Tensor& delta) const {
    const Tensor y = add(x_, mul(delta, scale_));
    return clip_ ? minimum(maximum(y, low_), high_) : y;
  }
  /// What is left of delta after moved().
  Tensor kept(const Tensor& delta) const { return clip_ ? div(sub(moved(delta), x_), scale_) : delta; }
  /// Gradient by delta from that by the model's input.
  Tensor pulled_back(const Tensor& gradient) const { return mul(gradient, scale_); }

 private:
  Tensor channels(const std::vector<double>& values) const {
    return Tensor::from(values, {static_cast<std::int64_t>(values.size())}).to(x_.dtype()).to(x_.device());
  }
  Tensor x_, scale_, low_, high_;
  bool clip_;
};

/// Euclidean length of each image, [n, 1, 1, 1].
Tensor lengths(const Tensor& x) {
  return sqrt(sum(square(x), kImageAxes, true));
}

Tensor constant(double value, const Tensor& like) {
  return Tensor::scalar(value, like.dtype(), like.device());
}

/// Each image divided by its length; zeros stay zeros. The largest element is brought to 1 first, so that
/// squares of small gradients do not vanish.
Tensor directions(const Tensor& x) {
  const double least = x.dtype() == Dtype::f64 ? 0x1p-1022 : 0x1p-126;
  const Tensor scaled = div(x, maximum(max(abs(x), kImageAxes, true), constant(least, x)));
  return div(scaled, maximum(lengths(scaled), constant(0.5, x)));
}

Tensor projected(const Tensor& delta, AttackNorm norm, double epsilon) {
  if (norm == AttackNorm::linf) return clamp(delta, -epsilon, epsilon);
  if (epsilon == 0) return zeros_like(delta);
  return mul(delta, div(constant(epsilon, delta), maximum(lengths(delta), constant(epsilon, delta))));
}

/// TRADES' first point: a touch of noise, because at x itself the divergence has no slope.
Tensor normal_start(const Tensor& x, Key key, std::int64_t first) {
  const Shape one{1, x.dim(1), x.dim(2), x.dim(3)};
  std::vector<Tensor> images;
  for (std::int64_t i = 0; i < x.dim(0); ++i)
    images.push_back(random_normal(one, key.child(first + i), 0, kNormalStart, x.dtype(), x.device()));
  return concat(images);
}

/// A point drawn uniformly from the ball, for each image from its own key.
Tensor random_start(const Tensor& x, const PgdOptions& options, Key key, std::int64_t first) {
  const std::int64_t n = x.dim(0), size = x.dim(1) * x.dim(2) * x.dim(3);
  const Shape one{1, x.dim(1), x.dim(2), x.dim(3)};
  std::vector<Tensor> images;
  std::vector<double> radii;
  for (std::int64_t i = 0; i < n; ++i) {
    const Key own = key.child(first + i);
    if (options.norm == AttackNorm::linf) {
      images.push_back(random_uniform(one, own, -options.epsilon, options.epsilon, x.dtype(), x.device()));
    } else {
      images.push_back(random_normal(one, own.child("direction"), 0, 1, x.dtype(), x.device()));
      radii.push_back(options.epsilon *
                      std::pow(own.child("radius").uniform(0), 1 / static_cast<double>(size)));
    }
  }
  const Tensor drawn = concat(images);
  if (options.norm == AttackNorm::linf) return drawn;
  return mul(directions(drawn), Tensor::from(radii, {n, 1, 1, 1}).to(x.dtype()).to(x.device()));
}

}  // namespace

Tensor fgsm(const AttackLoss& loss_of, const Tensor& x, const Normalization& normalization,
            const FgsmOptions& options) {
  check_batch("fgsm", x, options.epsilon);
  if (x.numel() == 0) return x.clone();
  const Space space(x, normalization, options.space, options.clip);
  const Tensor gradient = input_gradient(loss_of, x);
  const NoGrad unrecorded;
  return space.moved(mul(sign(gradient), options.epsilon));
}

Tensor pgd(const AttackLoss& loss_of, const Tensor& x, const Normalization& normalization,
           const PgdOptions& options, Key key, std::int64_t first) {
  check_batch("pgd", x, options.epsilon);
  NM_CHECK_AS(ConfigError, options.iterations >= 1, "[pgd] needs at least one iteration, got ",
              options.iterations);
  NM_CHECK_AS(ConfigError, options.step >= 0 && std::isfinite(options.step),
              "[pgd] step must be a number of at least 0 (0 means 2.5 epsilon / iterations), got ",
              options.step);
  if (x.numel() == 0) return x.clone();
  const NoGrad unrecorded;
  const Space space(x, normalization, options.space, options.clip);
  const double step = options.step > 0 ? options.step : 2.5 * options.epsilon / options.iterations;
  Tensor delta = zeros_like(x);
  if (options.start == AttackStart::random) delta = space.kept(random_start(x, options, key, first));
  if (options.start == AttackStart::normal)
    delta = space.kept(projected(normal_start(x, key, first), options.norm, options.epsilon));
  for (int i = 0; i < options.iterations; ++i) {
    const Tensor gradient = space.pulled_back(input_gradient(loss_of, space.moved(delta)));
    const Tensor direction = options.norm == AttackNorm::linf ? sign(gradient) : directions(gradient);
    delta = space.kept(projected(add(delta, mul(direction, step)), options.norm, options.epsilon));
  }
  return space.moved(delta);
}

}  // namespace noisymix
