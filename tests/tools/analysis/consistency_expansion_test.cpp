#include "tools/analysis/consistency_expansion.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "tests/check_op.h"

#include "models/toy_mlp.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

using Values = std::vector<double>;

Values softmax_of(const Values& z) {
  double total = 0;
  for (const double value : z) total += std::exp(value);
  Values p;
  for (const double value : z) p.push_back(std::exp(value) / total);
  return p;
}

double entropy(const Values& p) {
  double sum = 0;
  for (const double value : p) sum -= value * std::log(value);
  return sum;
}

/// H of the mean less the mean of H.
double js_by_entropies(const Values& z0, const Values& z1) {
  const Values p = softmax_of(z0), q = softmax_of(z1);
  Values mean;
  for (std::size_t k = 0; k < p.size(); ++k) mean.push_back((p[k] + q[k]) / 2);
  return entropy(mean) - (entropy(p) + entropy(q)) / 2;
}

Values along(const Values& z, double eps, const Values& d) {
  Values moved;
  for (std::size_t k = 0; k < z.size(); ++k) moved.push_back(z[k] + eps * d[k]);
  return moved;
}

const Values kZ0 = {0.3, -1.2, 0.8, 0.1}, kZ1 = {-0.4, 0.9, 0.2, -0.6};
const Values kD0 = {1.1, 0.2, -0.7, 0.4}, kD1 = {-0.3, 0.8, 0.5, -1.3};

}  // namespace

TEST_CASE("Jensen-Shannon expansion: value, slope and curvature are the derivatives") {
  CHECK(jensen_shannon_of(kZ0, kZ1) == doctest::Approx(js_by_entropies(kZ0, kZ1)).epsilon(1e-12));
  CHECK(jensen_shannon_of(kZ0, kZ0) == 0);
  const JsExpansion e = expand_jensen_shannon(kZ0, kZ1, kD0, kD1);
  const auto js = [](double t) { return js_by_entropies(along(kZ0, t, kD0), along(kZ1, t, kD1)); };
  constexpr double h = 1e-3;
  CHECK(e.value == doctest::Approx(js(0)).epsilon(1e-12));
  CHECK(e.slope == doctest::Approx((js(h) - js(-h)) / (2 * h)).epsilon(1e-5));
  CHECK(e.curvature == doctest::Approx((js(h) - 2 * js(0) + js(-h)) / (h * h)).epsilon(1e-5));
  CHECK_THROWS_AS(expand_jensen_shannon(kZ0, kZ1, kD0, {1, 2}), ShapeError);
}

TEST_CASE("Jensen-Shannon expansion: views of one base point give a quarter of the Fisher form") {
  const JsExpansion e = expand_jensen_shannon(kZ0, kZ0, kD0, kD1);
  const Values p = softmax_of(kZ0);
  double form = 0, mean = 0;
  for (std::size_t k = 0; k < p.size(); ++k) {
    form += p[k] * (kD0[k] - kD1[k]) * (kD0[k] - kD1[k]);
    mean += p[k] * (kD0[k] - kD1[k]);
  }
  CHECK(e.value == 0);
  CHECK(std::abs(e.slope) < 1e-15);
  CHECK(e.curvature == doctest::Approx((form - mean * mean) / 4).epsilon(1e-12));
}

TEST_CASE("Jensen-Shannon expansion: the remainder is of third order") {
  for (const Values& z1 : {kZ1, kZ0}) {
    const JsExpansion e = expand_jensen_shannon(kZ0, z1, kD0, kD1);
    const auto rest = [&](double eps) {
      return std::abs(jensen_shannon_of(along(kZ0, eps, kD0), along(z1, eps, kD1)) - e.at(eps));
    };
    for (const double eps : {0.1, 0.01}) {
      const double order = std::log2(rest(eps) / rest(eps / 2));
      CHECK(order > 2.8);
      CHECK(order < 3.2);
    }
  }
}

TEST_CASE("Fisher traces: against differences of the log probabilities") {
  ToyMlp model({.inputs = 3, .classes = 4, .units = 6, .mix_layers = 0, .activation = ActivationKind::gelu});
  model.initialize(Key(5));
  model.to(Dtype::f64);
  const Values x = {0.2, -0.5, 1.1, -1.4, 0.3, 0.6};
  const Values traces = fisher_traces(model, Tensor::from(x, {2, 3}));
  REQUIRE(traces.size() == 2);
  const auto p_at = [&](Values at) {
    return softmax_of(model(Tensor::from(at, {1, 3}), Context::evaluation()).detach().to_vector<double>());
  };
  for (std::size_t i = 0; i < 2; ++i) {
    const Values point(x.begin() + 3 * static_cast<std::ptrdiff_t>(i),
                       x.begin() + 3 * static_cast<std::ptrdiff_t>(i + 1));
    const Values p = p_at(point);
    double expected = 0;
    for (std::size_t d = 0; d < 3; ++d) {
      Values high = point, low = point;
      high[d] += 1e-4;
      low[d] -= 1e-4;
      const Values up = p_at(high), down = p_at(low);
      for (std::size_t k = 0; k < 4; ++k) {
        const double slope = (std::log(up[k]) - std::log(down[k])) / 2e-4;
        expected += p[k] * slope * slope;
      }
    }
    CHECK(traces[i] == doctest::Approx(expected).epsilon(1e-6));
    CHECK(expected > 1e-4);
  }
}

TEST_CASE("matched normals: pairs of opposite sign with unit second moments") {
  constexpr std::int64_t n = 64, d = 3;
  const Values x = matched_normals(n, d, Key(2));
  REQUIRE(x.size() == n * d);
  for (std::size_t a = 0; a < d; ++a) {
    double mean = 0;
    for (std::size_t i = 0; i < n; ++i) mean += x[i * d + a];
    CHECK(std::abs(mean) < 1e-12);
    for (std::size_t b = 0; b < d; ++b) {
      double moment = 0;
      for (std::size_t i = 0; i < n; ++i) moment += x[i * d + a] * x[i * d + b] / n;
      CHECK(moment == doctest::Approx(a == b ? 1.0 : 0.0).epsilon(1e-10));
    }
  }
  CHECK_THROWS_AS(matched_normals(7, 1, Key(0)), ShapeError);
  CHECK_THROWS_AS(matched_normals(8, 3, Key(0)), ShapeError);
}

TEST_CASE("consistency check: orders of the remainders, and the identities for small noise") {
  ConsistencyOptions options;
  options.pairs = 40;
  options.points = 8;
  options.draws = 32;
  int heard = 0;
  const ConsistencyCheck check = check_consistency(options, [&](int done, int) { heard = done; });
  CHECK(heard == static_cast<int>(check.kl.size()));
  for (const double order : {check.apart_order, check.same_order}) {
    CHECK(order > 2.8);
    CHECK(order < 3.2);
  }
  for (const double order : {check.fixed_order, check.uniform_order}) {
    CHECK(order > 3.6);
    CHECK(order < 4.4);
  }
  const KlPoint& least = check.kl.front();
  REQUIRE(least.sigma < 0.002);
  CHECK(least.fixed / (least.sigma * least.sigma / 2 * check.trace) == doctest::Approx(1).epsilon(1e-4));
  CHECK(least.uniform / (least.sigma * least.sigma / 6 * check.trace) == doctest::Approx(1).epsilon(1e-4));
  // The largest level is far from small: the identities are no accident of the study.
  CHECK(std::abs(check.kl.back().fixed / check.kl.back().fixed_expansion - 1) > 0.001);

  const auto json = nlohmann::json::parse(consistency_json(options, check));
  CHECK(json["jensen_shannon"]["one_base_point"]["points"].size() == check.same.size());
  CHECK(json["kullback_leibler"]["fisher_trace"] == check.trace);
  const std::string csv = consistency_csv(check);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 1 + 4 * static_cast<int>(check.kl.size()));
  CHECK(consistency_svg(check).find("slope 3") != std::string::npos);
  options.draws = 15;
  CHECK_THROWS_AS(check_consistency(options), ConfigError);
}
