// The expansion, and what both sides share; sampling is in sampled_nfm_loss.cpp.
#include "tools/analysis/nfm_loss.h"

#include <array>
#include <cmath>

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"

namespace noisymix {
namespace {

using Plane = std::array<double, 2>;

/// Gradients of f by each point, [n, 2]: points do not influence each other, so those of the sum are each
/// one's own.
std::vector<double> gradients(Model& model, const Tensor& x) {
  const auto total = [&model](const Tensor& at) { return sum(model(at, Context::evaluation())); };
  return input_gradient(total, x).to_vector<double>();
}

/// Hessians of f by each point, [n, 2, 2], as central differences of gradients.
std::vector<double> hessians(Model& model, const PlanePoints& points) {
  constexpr double kStep = 1e-4;
  const auto n = static_cast<std::size_t>(points.size());
  std::vector<double> result(4 * n);
  for (std::size_t d = 0; d < 2; ++d) {
    const Tensor shift = Tensor::from<double>({d == 0 ? kStep : 0, d == 1 ? kStep : 0}, {2});
    const auto high = gradients(model, add(points.x, shift)), low = gradients(model, sub(points.x, shift));
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t e = 0; e < 2; ++e)
        result[4 * i + 2 * d + e] = (high[2 * i + e] - low[2 * i + e]) / (2 * kStep);
  }
  return result;
}

/// Mean and covariance (divided by n) of the points.
struct Cloud {
  Plane mean{};
  std::array<Plane, 2> covariance{};

  explicit Cloud(const std::vector<double>& x) {
    const double n = static_cast<double>(x.size()) / 2;
    for (std::size_t i = 0; i < x.size(); ++i) mean[i % 2] += x[i] / n;
    for (std::size_t i = 0; i < x.size(); i += 2)
      for (std::size_t d = 0; d < 2; ++d)
        for (std::size_t e = 0; e < 2; ++e)
          covariance[d][e] += (x[i + d] - mean[d]) * (x[i + e] - mean[e]) / n;
  }
};

/// One point's quadratic forms: with G the matrix grad grad^T or the Hessian.
struct Forms {
  double mixed = 0;  ///< mean over partners r of (x_r - x)^T G (x_r - x)
  double trace = 0;
  double scaled = 0;  ///< sum_d x_d^2 G_dd

  Forms(const Cloud& cloud, const double* x, const std::array<Plane, 2>& g) {
    for (std::size_t d = 0; d < 2; ++d) {
      for (std::size_t e = 0; e < 2; ++e)
        mixed += g[d][e] * (cloud.covariance[d][e] + (cloud.mean[d] - x[d]) * (cloud.mean[e] - x[e]));
      trace += g[d][d];
      scaled += x[d] * x[d] * g[d][d];
    }
  }
  /// Half the expected second-order change under the law.
  double half_change(const NfmLaw& law) const {
    return (law.second_moment() * mixed + law.add * law.add * law.additive_variance() * trace +
            law.mult * law.mult * law.multiplicative_variance() * scaled) /
           2;
  }
};

}  // namespace

PlanePoints plane_points(const Dataset& data) {
  NM_CHECK_AS(ConfigError,
              data.sample_shape() == std::vector<std::int64_t>{2} && data.classes() == 2 && data.size() > 0,
              data.description(), ": expected points in the plane with two classes");
  std::vector<double> x, y;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Example example = data.get(i);
    for (const float feature : example.features) x.push_back(static_cast<double>(feature));
    y.push_back(static_cast<double>(example.label));
  }
  return {Tensor::from(x, {data.size(), 2}), Tensor::from(y, {data.size()})};
}

// E b^2 of b ~ Beta(2, 5) is 3/28, the variance of U(-1, 1) is 1/3.
double NfmLaw::additive_variance() const {
  return scale == NoiseScale::beta25 ? 3.0 / 28 : 1;
}
double NfmLaw::multiplicative_variance() const {
  return additive_variance() / 3;
}

NfmExpansion expand_nfm_loss(Model& model, ActivationKind activation, const PlanePoints& points,
                             const NfmLaw& law) {
  const std::vector<double> f = [&] {
    const NoGrad unrecorded;
    return model(points.x, Context::evaluation()).to_vector<double>();
  }();
  const std::vector<double> x = points.x.to_vector<double>(), y = points.y.to_vector<double>();
  NM_CHECK(f.size() == y.size(), "[expand_nfm_loss] expects a network with one output");
  const std::vector<double> slope = gradients(model, points.x);
  std::vector<double> curvature(2 * x.size(), 0.0);
  if (activation != ActivationKind::relu && activation != ActivationKind::identity)
    curvature = hessians(model, points);
  const Cloud cloud(x);
  const double n = static_cast<double>(y.size());
  NfmExpansion result;
  for (std::size_t i = 0; i < y.size(); ++i) {
    const double p = 1 / (1 + std::exp(-f[i]));
    const double* at = &x[2 * i];
    const double* g = &slope[2 * i];
    const double* h = &curvature[4 * i];
    const Forms squared(cloud, at, {Plane{g[0] * g[0], g[0] * g[1]}, Plane{g[0] * g[1], g[1] * g[1]}});
    const Forms bent(cloud, at, {Plane{h[0], h[1]}, Plane{h[2], h[3]}});
    result.standard += (std::max(f[i], 0.0) + std::log1p(std::exp(-std::abs(f[i]))) - y[i] * f[i]) / n;
    result.r1 += law.first_moment() * (p - y[i]) *
                 (g[0] * (cloud.mean[0] - at[0]) + g[1] * (cloud.mean[1] - at[1])) / n;
    result.r2 += p * (1 - p) * squared.half_change(law) / n;
    result.r3 += (p - y[i]) * bent.half_change(law) / n;
  }
  return result;
}

}  // namespace noisymix
