// Both sides of the second-order check: sampling against the network itself, the expansion against
// quadrature.
#include "tools/analysis/nfm_loss.h"

#include <cmath>

#include "data/toy.h"
#include "models/toy_mlp.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::unique_ptr<ToyMlp> network(ActivationKind activation) {
  auto model = std::make_unique<ToyMlp>(
      ToyMlpOptions{.classes = 1, .units = 8, .mix_layers = 0, .activation = activation});
  model->initialize(Key(21));
  model->to(Dtype::f64);
  for (auto& [name, parameter] : model->parameters()) {  // far from linear
    Tensor weights = parameter;
    weights.copy_from(mul(parameter.detach(), 2.0));
  }
  return model;
}

/// A cloud of half-width `spread` around (0.3, -0.2).
PlanePoints cloud(std::int64_t n, double spread) {
  const Tensor x = add(random_uniform({n, 2}, Key(31), -spread, spread, Dtype::f64),
                       Tensor::from<double>({0.3, -0.2}, {2}));
  std::vector<double> y;
  for (std::int64_t i = 0; i < n; ++i) y.push_back(i % 3 == 0 ? 1 : 0);
  return {x, Tensor::from(y, {n})};
}

double output(Model& model, double x0, double x1) {
  const NoGrad unrecorded;
  return model(Tensor::from<double>({x0, x1}, {1, 2}), Context::evaluation()).item();
}

double logistic(double f, double y) {
  return std::max(f, 0.0) + std::log1p(std::exp(-std::abs(f))) - y * f;
}

/// The loss with mixing alone, lambda uniform, by five-point Gauss-Legendre quadrature.
double mixed_loss(Model& model, const PlanePoints& points) {
  const double nodes[] = {0.0469100770306680, 0.2307653449471585, 0.5, 0.7692346550528415,
                          0.9530899229693320};
  const double weights[] = {0.1184634425280945, 0.2393143352496832, 0.2844444444444444, 0.2393143352496832,
                            0.1184634425280945};
  const auto x = values(points.x), y = values(points.y);
  double total = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    for (std::size_t j = 0; j < y.size(); ++j)
      for (std::size_t q = 0; q < 5; ++q) {
        const double l = nodes[q];
        const double f =
            output(model, l * x[2 * i] + (1 - l) * x[2 * j], l * x[2 * i + 1] + (1 - l) * x[2 * j + 1]);
        total += weights[q] * logistic(f, l * y[i] + (1 - l) * y[j]);
      }
  return total / static_cast<double>(y.size() * y.size());
}

/// The loss with noise alone: every entry takes -sqrt(3 v), 0, sqrt(3 v) with weights 1/6, 2/3, 1/6, a law of
/// variance v.
double noised_loss(Model& model, const PlanePoints& points, const NfmLaw& law) {
  const double add = law.add * std::sqrt(3 * law.additive_variance());
  const double mult = law.mult * std::sqrt(3 * law.multiplicative_variance());
  const auto x = values(points.x), y = values(points.y);
  const auto weight = [](int k) { return k == 0 ? 2.0 / 3 : 1.0 / 6; };
  double total = 0;
  for (std::size_t i = 0; i < y.size(); ++i)
    for (int a = -1; a <= 1; ++a)
      for (int b = -1; b <= 1; ++b)
        for (int c = -1; c <= 1; ++c)
          for (int d = -1; d <= 1; ++d)
            total += weight(a) * weight(b) * weight(c) * weight(d) *
                     logistic(output(model, x[2 * i] * (1 + mult * a) + add * b,
                                     x[2 * i + 1] * (1 + mult * c) + add * d),
                              y[i]);
  return total / static_cast<double>(y.size());
}

}  // namespace

TEST_CASE("the expansion of mixing is right to second order") {
  const auto model = network(ActivationKind::gelu);
  const NfmLaw law{.alpha = 1, .add = 0, .mult = 0};
  const auto gaps = [&](double spread) {
    const PlanePoints points = cloud(6, spread);
    const NfmExpansion e = expand_nfm_loss(*model, ActivationKind::gelu, points, law);
    const double exact = mixed_loss(*model, points);
    return std::array{exact - e.sum(), exact - (e.sum() - e.r3), exact - (e.sum() - e.r2),
                      exact - e.standard};
  };
  const auto wide = gaps(0.04), narrow = gaps(0.02);
  CHECK(std::abs(narrow[0]) < 1e-4);
  CHECK(wide[0] / narrow[0] == doctest::Approx(8).epsilon(0.25));  // what is left is of third order
  for (const std::size_t without : {1u, 2u}) {
    CHECK(std::abs(narrow[without]) > 5 * std::abs(narrow[0]));
    CHECK(wide[without] / narrow[without] == doctest::Approx(4).epsilon(0.25));
  }
  CHECK(std::abs(narrow[3]) > 10 * std::abs(narrow[0]));
}

TEST_CASE("the expansion of noise is right to second order") {
  const auto model = network(ActivationKind::gelu);
  const PlanePoints points = cloud(5, 0.5);
  for (const NoiseScale scale : {NoiseScale::beta25, NoiseScale::fixed}) {
    const auto gap = [&](double level) {
      const NfmLaw law{.alpha = 0, .add = 0.3 * level, .mult = 0.5 * level, .scale = scale};
      const NfmExpansion e = expand_nfm_loss(*model, ActivationKind::gelu, points, law);
      CHECK(e.r1 == 0);
      return std::array{noised_loss(*model, points, law) - e.sum(), e.r2 + e.r3};
    };
    const double level = scale == NoiseScale::fixed ? 0.2 : 0.6;
    const auto strong = gap(level), weak = gap(level / 2);
    CHECK(std::abs(weak[0]) < 0.05 * std::abs(weak[1]));
    CHECK(strong[0] / weak[0] ==
          doctest::Approx(16).epsilon(0.25));  // both laws are symmetric: no third order
  }
}

TEST_CASE("networks of ReLU: gradients by hand, no curvature") {
  const auto model = network(ActivationKind::relu);
  const PlanePoints points = cloud(7, 0.8);
  const NfmLaw law{.alpha = 2, .add = 0.3, .mult = 0.5};
  const NfmExpansion e = expand_nfm_loss(*model, ActivationKind::relu, points, law);
  const auto parameters = model->parameters();
  const auto w = values(parameters[0].second), b = values(parameters[1].second),
             v = values(parameters[2].second);
  const auto x = values(points.x), y = values(points.y);
  const double n = 7, m1 = 2.0 / 5, m2 = 1.0 / 5;
  double r1 = 0, r2 = 0;
  for (std::size_t i = 0; i < 7; ++i) {
    double g[2] = {0, 0};
    for (std::size_t u = 0; u < v.size(); ++u)
      if (w[2 * u] * x[2 * i] + w[2 * u + 1] * x[2 * i + 1] + b[u] > 0)
        for (std::size_t d = 0; d < 2; ++d) g[d] += v[u] * w[2 * u + d];
    const double p = 1 / (1 + std::exp(-output(*model, x[2 * i], x[2 * i + 1])));
    double noise = 0;
    for (std::size_t d = 0; d < 2; ++d)
      noise += g[d] * g[d] * (0.09 * 3 / 28 + 0.25 / 28 * x[2 * i + d] * x[2 * i + d]);
    r2 += p * (1 - p) * noise / (2 * n);
    for (std::size_t r = 0; r < 7; ++r) {
      const double along = g[0] * (x[2 * r] - x[2 * i]) + g[1] * (x[2 * r + 1] - x[2 * i + 1]);
      r1 += m1 * (p - y[i]) * along / (n * n);
      r2 += m2 * p * (1 - p) * along * along / (2 * n * n);
    }
  }
  CHECK(e.r1 == doctest::Approx(r1).epsilon(1e-12));
  CHECK(e.r2 == doctest::Approx(r2).epsilon(1e-12));
  CHECK(e.r3 == 0);
  for (const auto& parameter : model->parameters()) CHECK_FALSE(parameter.second.grad().defined());
}

TEST_CASE("sampling evaluates the network on its draws") {
  const PlanePoints points = cloud(3, 0.8);
  const auto x = values(points.x), y = values(points.y);
  const NfmDraws draws({}, 2, Key(4));
  for (const ActivationKind activation : {ActivationKind::relu, ActivationKind::gelu}) {
    const auto model = network(activation);
    double total = 0;
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t j = 0; j < 3; ++j) {
        const float* draw = draws.of_pair(static_cast<std::int64_t>(3 * i + j));
        for (std::size_t d = 0; d < 2; ++d) {
          const double l = static_cast<double>(draw[d]);
          const auto moved = [&](std::size_t c) {
            return static_cast<double>(draw[2 * (c + 1) + d]) * (l * x[2 * i + c] + (1 - l) * x[2 * j + c]) +
                   static_cast<double>(draw[2 * (c + 3) + d]);
          };
          total += logistic(output(*model, moved(0), moved(1)), l * y[i] + (1 - l) * y[j]);
        }
      }
    CHECK(sampled_nfm_loss(*model, activation, points, draws).value ==
          doctest::Approx(total / 18).epsilon(1e-6));
  }
}

TEST_CASE("sampling agrees with quadrature within its error") {
  const auto model = network(ActivationKind::gelu);
  const PlanePoints points = cloud(8, 0.8);
  const SampledLoss mixed =
      sampled_nfm_loss(*model, ActivationKind::gelu, points, {{.add = 0, .mult = 0}, 64, Key(4)});
  CHECK(mixed.error > 0);
  CHECK(mixed.error < 0.01);
  CHECK(std::abs(mixed.value - mixed_loss(*model, points)) < 4 * mixed.error);
  const SampledLoss plain =
      sampled_nfm_loss(*model, ActivationKind::gelu, points, {{.alpha = 0, .add = 0, .mult = 0}, 3, Key(4)});
  const NfmExpansion e =
      expand_nfm_loss(*model, ActivationKind::gelu, points, {.alpha = 0, .add = 0, .mult = 0});
  CHECK(plain.value == doctest::Approx(e.standard).epsilon(1e-6));
  CHECK(e.r1 + e.r2 + e.r3 == 0);
}

TEST_CASE("draws follow the law") {
  const NfmLaw law{.alpha = 2, .add = 0.4, .mult = 0.2};
  const NfmDraws draws(law, 8, Key(4));
  double lambda = 0, lambda_squared = 0, add_squared = 0, mult = 0, mult_squared = 0;
  const int pairs = 2000;
  for (int pair = 0; pair < pairs; ++pair) {
    const float* draw = draws.of_pair(pair);
    for (int i = 0; i < 8; ++i) {
      const auto at = [&](int array) { return static_cast<double>(draw[8 * array + i]) / (8 * pairs); };
      const auto square = [&](int array, double less) {
        const double value = static_cast<double>(draw[8 * array + i]) - less;
        return value * value / (8 * pairs);
      };
      lambda += at(0);
      lambda_squared += square(0, 0.5);
      mult += at(1);
      mult_squared += square(2, 1);
      add_squared += square(4, 0);
    }
  }
  CHECK(lambda == doctest::Approx(0.5).epsilon(0.02));
  CHECK(lambda_squared == doctest::Approx(0.05).epsilon(0.05));
  CHECK(mult == doctest::Approx(1).epsilon(0.01));
  CHECK(mult_squared == doctest::Approx(0.04 / 28).epsilon(0.1));
  CHECK(add_squared == doctest::Approx(0.16 * 3 / 28).epsilon(0.1));
}

TEST_CASE("nfm loss: errors") {
  CHECK_THROWS_AS(NfmDraws({}, 0, Key(1)), ConfigError);
  CHECK_THROWS_AS(NfmDraws({.alpha = -1}, 2, Key(1)), ConfigError);
  CHECK(plane_points(*make_circles(0, false)).size() == 200);
  ToyMlp deep({.classes = 1, .hidden_layers = 2});
  CHECK_THROWS_AS(sampled_nfm_loss(deep, ActivationKind::relu, cloud(2, 1), {{}, 2, Key(1)}), ShapeError);
}
