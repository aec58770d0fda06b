// The mathematics; the study that sweeps eps and sigma is in consistency_check.cpp.
#include "tools/analysis/consistency_expansion.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/reduce.h"
#include "engine/ops/softmax.h"

namespace noisymix {
namespace {

using Values = std::vector<double>;

Values log_softmax_of(const Values& z) {
  const double top = *std::max_element(z.begin(), z.end());
  double total = 0;
  for (const double value : z) total += std::exp(value - top);
  Values result;
  for (const double value : z) result.push_back(value - top - std::log(total));
  return result;
}

/// p along z + t d at t = 0: itself, its first and its second derivative.
struct Path {
  Values log_p, p, first, second;

  Path(const Values& z, const Values& d) : log_p(log_softmax_of(z)) {
    double mean = 0, spread = 0;
    for (std::size_t k = 0; k < z.size(); ++k) {
      p.push_back(std::exp(log_p[k]));
      mean += p[k] * d[k];
    }
    for (std::size_t k = 0; k < z.size(); ++k) spread += p[k] * (d[k] - mean) * (d[k] - mean);
    for (std::size_t k = 0; k < z.size(); ++k) {
      const double c = d[k] - mean;
      first.push_back(p[k] * c);
      second.push_back(p[k] * (c * c - spread));
    }
  }
};

/// Mean over rows and draws of KL(p(x) || p(x + sigma xi)): for every draw, all points at once.
double mean_divergence(Model& model, const Tensor& x, double sigma, const Values& normals) {
  const NoGrad unrecorded;
  const std::int64_t n = x.dim(0), inputs = x.dim(1);
  const std::int64_t draws = static_cast<std::int64_t>(normals.size()) / inputs;
  const Values clean = log_softmax(model(x, Context::evaluation())).to_vector<double>();
  double total = 0;
  for (std::int64_t j = 0; j < draws; ++j) {
    Values shift(normals.begin() + j * inputs, normals.begin() + (j + 1) * inputs);
    for (double& value : shift) value *= sigma;
    const Tensor moved = add(x, Tensor::from(shift, {inputs}));
    const Values noisy = log_softmax(model(moved, Context::evaluation())).to_vector<double>();
    for (std::size_t i = 0; i < clean.size(); ++i) total += std::exp(clean[i]) * (clean[i] - noisy[i]);
  }
  return total / static_cast<double>(n * draws);
}

}  // namespace

double jensen_shannon_of(const Values& z0, const Values& z1) {
  const Values a = log_softmax_of(z0), b = log_softmax_of(z1);
  double sum = 0;
  for (std::size_t k = 0; k < a.size(); ++k) {
    // log(p / m) = -log((1 + q / p) / 2), which keeps its digits where both are nearly equal.
    sum -= std::exp(a[k]) * std::log1p(std::expm1(b[k] - a[k]) / 2);
    sum -= std::exp(b[k]) * std::log1p(std::expm1(a[k] - b[k]) / 2);
  }
  return sum / 2;
}

JsExpansion expand_jensen_shannon(const Values& z0, const Values& z1, const Values& d0, const Values& d1) {
  const std::size_t classes = z0.size();
  NM_CHECK(classes > 0 && z1.size() == classes && d0.size() == classes && d1.size() == classes,
           "[expand_jensen_shannon] expects four vectors of one length");
  const std::array<Path, 2> views{Path(z0, d0), Path(z1, d1)};
  JsExpansion result;
  result.value = jensen_shannon_of(z0, z1);
  for (std::size_t k = 0; k < classes; ++k) {
    const double mean = (views[0].p[k] + views[1].p[k]) / 2;
    const double mean_first = (views[0].first[k] + views[1].first[k]) / 2;
    for (const Path& view : views) {
      const double ratio = view.log_p[k] - std::log(mean);
      result.slope += view.first[k] * ratio / 2;
      result.curvature += (view.second[k] * ratio + view.first[k] * view.first[k] / view.p[k]) / 2;
    }
    result.curvature -= mean_first * mean_first / mean;
  }
  return result;
}

Values fisher_traces(Model& model, const Tensor& x) {
  const Values log_p = [&] {
    const NoGrad unrecorded;
    return log_softmax(model(x, Context::evaluation())).to_vector<double>();
  }();
  const auto n = static_cast<std::size_t>(x.dim(0));
  const std::size_t classes = log_p.size() / n, inputs = static_cast<std::size_t>(x.dim(1));
  Values traces(n, 0.0);
  for (std::size_t k = 0; k < classes; ++k) {
    Values chosen(classes, 0.0);
    chosen[k] = 1;
    const Tensor mask = Tensor::from(chosen, {static_cast<std::int64_t>(classes)});
    // Rows do not influence each other, so the gradient of the sum holds each one's own.
    const auto total = [&](const Tensor& at) {
      return sum(mul(log_softmax(model(at, Context::evaluation())), mask));
    };
    const Values gradient = input_gradient(total, x).to_vector<double>();
    for (std::size_t i = 0; i < n; ++i)
      for (std::size_t d = 0; d < inputs; ++d)
        traces[i] += std::exp(log_p[i * classes + k]) * gradient[i * inputs + d] * gradient[i * inputs + d];
  }
  return traces;
}

Values matched_normals(std::int64_t draws, std::int64_t inputs, Key key) {
  NM_CHECK(inputs >= 1 && draws % 2 == 0 && draws >= 4 * inputs,
           "[matched_normals] expects an even number of draws, at least 4 per input, got ", draws, " for ",
           inputs);
  const auto d = static_cast<std::size_t>(inputs), n = static_cast<std::size_t>(draws);
  Values x(n * d);
  for (std::size_t i = 0; i < n * d / 2; ++i) x[i] = key.normal(i);
  // Second moments S = L L^T by Cholesky; L^-1 x has the unit matrix.
  Values s(d * d, 0.0);
  for (std::size_t i = 0; i < n / 2; ++i)
    for (std::size_t a = 0; a < d; ++a)
      for (std::size_t b = 0; b <= a; ++b)
        s[a * d + b] += x[i * d + a] * x[i * d + b] * 2 / static_cast<double>(n);
  for (std::size_t a = 0; a < d; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      for (std::size_t c = 0; c < b; ++c) s[a * d + b] -= s[a * d + c] * s[b * d + c];
      s[a * d + b] = a == b ? std::sqrt(s[a * d + a]) : s[a * d + b] / s[b * d + b];
    }
  }
  for (std::size_t i = 0; i < n / 2; ++i) {
    for (std::size_t a = 0; a < d; ++a) {
      for (std::size_t b = 0; b < a; ++b) x[i * d + a] -= s[a * d + b] * x[i * d + b];
      x[i * d + a] /= s[a * d + a];
      x[(n / 2 + i) * d + a] = -x[i * d + a];
    }
  }
  return x;
}

double noisy_divergence(Model& model, const Tensor& x, double sigma, const Values& normals) {
  return mean_divergence(model, x, sigma, normals);
}

double noisy_divergence_uniform(Model& model, const Tensor& x, double largest, const Values& normals) {
  // Gauss-Legendre on [-1, 1]: exact to the ninth power of sigma.
  constexpr std::array<double, 3> kNode = {0, 0.5384693101056831, 0.9061798459386640};
  constexpr std::array<double, 3> kWeight = {0.5688888888888889, 0.4786286704993665, 0.2369268850561891};
  double total = kWeight[0] / 2 * mean_divergence(model, x, largest / 2, normals);
  for (std::size_t i = 1; i < 3; ++i)
    for (const double sign : {-1.0, 1.0})
      total += kWeight[i] / 2 * mean_divergence(model, x, largest * (1 + sign * kNode[i]) / 2, normals);
  return total;
}

}  // namespace noisymix
