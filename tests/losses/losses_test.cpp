// The papers' losses against PyTorch's values, finite differences and the identities they should satisfy.
#include "losses/losses.h"

#include <cmath>
#include <limits>

#include "engine/io/safetensors.h"
#include "engine/ops/concat.h"
#include "engine/ops/gather.h"
#include "engine/ops/softmax.h"
#include "tests/check_op.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Draws of a fixed key, f64.
Tensor normal(const Shape& shape, int key) {
  return random_normal(shape, Key(7).child(key), 0, 1, Dtype::f64);
}

Tensor labels_of(const std::vector<std::int64_t>& values) {
  return Tensor::from(values, {static_cast<std::int64_t>(values.size())});
}

/// One case of the reference values with its tensors.
class Case {
 public:
  Case(const nlohmann::json& entry, const Safetensors& bundle)
      : attributes(entry.value("attrs", nlohmann::json::object())), bundle_(bundle), name_(entry.at("name")) {
    tolerance = std::max(10 * entry.at("float32_rel_err").get<double>(), 2e-6);
  }
  Tensor at(const std::string& tensor) const { return bundle_.at(name_ + "/" + tensor); }
  /// An input of which the gradient is wanted.
  Tensor leaf(const std::string& tensor) const { return at(tensor).clone().set_requires_grad(); }

  void check(const Tensor& y, const std::vector<std::pair<std::string, Tensor>>& leaves) const {
    CAPTURE(name_);
    CHECK(relative_error(y, at("y")) <= tolerance);
    backward(y, at("g_y"));
    for (const auto& item : leaves) {
      const std::string& input = item.first;
      const Tensor& leaf = item.second;
      CAPTURE(input);
      REQUIRE(leaf.grad().defined());
      CHECK(relative_error(leaf.grad(), at("grad_" + input)) <= tolerance);
    }
  }

  nlohmann::json attributes;
  double tolerance;

 private:
  const Safetensors& bundle_;
  std::string name_;
};

template <typename Body>
void for_each_case(const std::string& op, Body&& body) {
  const auto manifest = read_json(fixture_path("ops/manifest.json"));
  const Safetensors bundle = read_safetensors(fixture_path("ops/losses.safetensors"));
  int count = 0;
  for (const auto& entry : manifest.at("cases")) {
    if (entry.at("op") != op) continue;
    body(Case(entry, bundle));
    ++count;
  }
  CHECK_MESSAGE(count > 0, "no reference case of " << op);
}

}  // namespace

TEST_CASE("mixed cross entropy agrees with PyTorch") {
  for_each_case("mixup_cross_entropy", [](const Case& c) {
    const Tensor x = c.leaf("x");
    const double lambda = c.attributes.at("lam");
    // The reference draws the partners' labels freely, so its values are compared with the function's two
    // terms.
    const auto a = c.at("target_a").to_vector<std::int64_t>(), b = c.at("target_b").to_vector<std::int64_t>();
    const std::size_t n = a.size();
    const Tensor own = cross_entropy(x, labels_of(a)), partner = cross_entropy(x, labels_of(b));
    c.check(lambda * own + (1 - lambda) * partner, {{"x", x}});

    // The function itself: partners by permutation, weighted the same way.
    std::vector<std::int64_t> order(n);
    for (std::size_t i = 0; i < n; ++i) order[i] = static_cast<std::int64_t>((i + 1) % n);
    std::vector<std::int64_t> moved(n);
    for (std::size_t i = 0; i < n; ++i) moved[i] = a[static_cast<std::size_t>(order[i])];
    const Tensor want = lambda * own.detach() + (1 - lambda) * cross_entropy(c.at("x"), labels_of(moved));
    CHECK(mixed_cross_entropy(c.at("x"), labels_of(a), lambda, order).item() ==
          doctest::Approx(want.item()).epsilon(1e-12));
  });
}

TEST_CASE("mixed cross entropy is cross entropy with the mixed label") {
  const std::vector<std::int64_t> labels{2, 0, 3, 1, 2}, order{4, 2, 0, 1, 3};
  const Tensor logits = normal({5, 4}, 1);
  const Tensor y = one_hot(labels_of(labels), 4, Dtype::f64);
  const Tensor partner = index_select(y, labels_of(order));
  for (const double lambda : {0.0, 0.3, 1.0}) {
    const Tensor soft = cross_entropy_soft(logits, lambda * y + (1 - lambda) * partner);
    const Tensor mixed = mixed_cross_entropy(logits, labels_of(labels), lambda, order);
    CHECK(mixed.item() == doctest::Approx(soft.item()).epsilon(1e-12));
  }
  const double s = 0.1;
  const Tensor smooth = (1 - s) * (0.3 * y + 0.7 * partner) + s / 4;
  CHECK(mixed_cross_entropy(logits, labels_of(labels), 0.3, order, s).item() ==
        doctest::Approx(cross_entropy_soft(logits, smooth).item()).epsilon(1e-12));
}

TEST_CASE("mixed cross entropy without a permutation is plain cross entropy") {
  const Tensor logits = normal({3, 5}, 2), labels = labels_of({4, 0, 1});
  CHECK(mixed_cross_entropy(logits, labels, 0.25, {}).item() == cross_entropy(logits, labels).item());
  CHECK(mixed_cross_entropy(logits, labels, 1, {2, 1, 0}).item() == cross_entropy(logits, labels).item());
  check_gradients(
      [&](const auto& in) {
        return mixed_cross_entropy(in[0], labels, 0.25, {2, 0, 1}, 0.1);
      },
      {logits});
}

TEST_CASE("mixed cross entropy names wrong arguments") {
  const Tensor logits = normal({3, 5}, 3), labels = labels_of({4, 0, 1});
  CHECK_THROWS_WITH_AS(mixed_cross_entropy(logits, labels, 1.5, {2, 1, 0}),
                       "[mixed_cross_entropy] lambda must be in [0, 1], got 1.5", ShapeError);
  CHECK_THROWS_WITH_AS(mixed_cross_entropy(logits, labels, 0.5, {1, 0}),
                       "[mixed_cross_entropy] a permutation of 2 for 3 labels", ShapeError);
  CHECK_THROWS_AS(mixed_cross_entropy(logits, labels, 0.5, {1, 0, 3}), ShapeError);
}

TEST_CASE("Kullback-Leibler divergence agrees with PyTorch") {
  for_each_case("kl_div", [](const Case& c) {
    const Tensor log_q = c.leaf("logq"), p = c.leaf("p");
    c.check(kl_divergence(log_q, p), {{"logq", log_q}, {"p", p}});
  });
}

TEST_CASE("Kullback-Leibler divergence is zero for equal distributions and counts no impossible class") {
  const Tensor p = softmax(normal({3, 4}, 4));
  CHECK(kl_divergence(log_softmax(normal({3, 4}, 4)), p).item() == doctest::Approx(0).epsilon(1e-12));
  CHECK(kl_divergence(log_softmax(normal({3, 4}, 5)), p).item() > 0);
  // One-hot p: the divergence is the negative log-likelihood of its class.
  const Tensor certain = Tensor::from<double>({0, 1, 0}, {1, 3}).set_requires_grad();
  const Tensor log_q = log_softmax(normal({1, 3}, 6));
  const Tensor divergence = kl_divergence(log_q, certain);
  CHECK(divergence.item() == doctest::Approx(-values(log_q)[1]));
  backward(divergence);
  CHECK(all_finite(certain.grad()));
  check_gradients([](const auto& in) { return kl_divergence(in[0], in[1]); }, {normal({3, 4}, 7), p});
  CHECK_THROWS_WITH_AS(kl_divergence(log_q, p),
                       "[kl_divergence] expects two equal shapes [n, k] with n > 0, got [1, 3] and [3, 4]",
                       ShapeError);
}

TEST_CASE("KL consistency is the divergence of two softmaxes") {
  const Tensor clean = normal({4, 5}, 8), other = normal({4, 5}, 9);
  CHECK(kl_consistency(clean, other).item() ==
        doctest::Approx(kl_divergence(log_softmax(other), softmax(clean)).item()).epsilon(1e-9));
  CHECK(kl_consistency(clean, clean).item() == 0);
  check_gradients([](const auto& in) { return kl_consistency(in[0], in[1]); }, {clean, other});
  // Probabilities that underflow stay finite thanks to epsilon.
  const Tensor sure = Tensor::from<float>({200, 0, 0, 200}, {2, 2}),
               wrong = Tensor::from<float>({0, 200, 200, 0}, {2, 2});
  CHECK(kl_consistency(sure, wrong).item() == doctest::Approx(-std::log(1e-14)).epsilon(1e-5));
}

TEST_CASE("Jensen-Shannon consistency agrees with PyTorch at weight 12") {
  for_each_case("jsd3", [](const Case& c) {
    const Tensor x = c.leaf("a"), y = c.leaf("b"), z = c.leaf("c");
    const Tensor loss = jensen_shannon_consistency(concat({x, y, z}), 3, c.attributes.at("weight"));
    c.check(loss, {{"a", x}, {"b", y}, {"c", z}});
  });
}

TEST_CASE("Jensen-Shannon consistency: zero for equal views, bounded by log views, symmetric") {
  const Tensor a = normal({2, 6}, 10), b = normal({2, 6}, 11), c = normal({2, 6}, 12);
  CHECK(std::abs(jensen_shannon_consistency(concat({a, a, a}), 3, 12).item()) < 1e-12);
  const double abc = jensen_shannon_consistency(concat({a, b, c}), 3, 12).item();
  CHECK(abc == doctest::Approx(jensen_shannon_consistency(concat({c, a, b}), 3, 12).item()).epsilon(1e-12));
  CHECK(abc > 0);
  const Tensor apart = 300.0 * one_hot(labels_of({0, 1, 2}), 6, Dtype::f64);
  CHECK(jensen_shannon_consistency(apart, 3, 1).item() == doctest::Approx(std::log(3)).epsilon(1e-6));
  check_gradients([](const auto& in) { return jensen_shannon_consistency(in[0], 3, 12); },
                  {concat({a, b, c})});
}

TEST_CASE("mean squared error agrees with PyTorch") {
  for_each_case("mse_loss", [](const Case& c) {
    const Tensor x = c.leaf("x"), target = c.leaf("target");
    c.check(mean_squared_error(x, target), {{"x", x}, {"target", target}});
  });
  CHECK(
      mean_squared_error(Tensor::from<double>({1, 2, 3}, {3}), Tensor::from<double>({1, 0, 6}, {3})).item() ==
      doctest::Approx(13.0 / 3));
  CHECK_THROWS_WITH_AS(mean_squared_error(Tensor::zeros({3}), Tensor::zeros({3, 1})),
                       "[mean_squared_error] x has shape [3], the target [3, 1]", ShapeError);
}

TEST_CASE("the Jensen-Shannon divergence of two views is its second-order expansion up to o(eps^2)") {
  // NoisyMix, proposition 1: p = softmax of the features, moved from z0 and z1 along d0 and d1.
  const std::int64_t k = 5;
  const Tensor z0 = normal({1, k}, 60), z1 = normal({1, k}, 61), d0 = normal({1, k}, 62), d1 = normal({1, k}, 63);
  const auto exact = [&](const Tensor& a, const Tensor& b, double eps) {
    return jensen_shannon(concat({add(a, mul(d0, eps)), add(b, mul(d1, eps))}), 2, 0).item();
  };
  // Softmax along a line: p, p' = p (d - mean d), p'' = p ((d - mean d)^2 - variance d), means under p.
  struct Path {
    std::vector<double> p, first, second;
    Path(const Tensor& z, const Tensor& d) : p(values(softmax(z))), first(p), second(p) {
      const auto step = values(d);
      double mean_step = 0, spread = 0;
      for (std::size_t i = 0; i < p.size(); ++i) mean_step += p[i] * step[i];
      for (std::size_t i = 0; i < p.size(); ++i) spread += p[i] * (step[i] - mean_step) * (step[i] - mean_step);
      for (std::size_t i = 0; i < p.size(); ++i) {
        first[i] = p[i] * (step[i] - mean_step);
        second[i] = p[i] * ((step[i] - mean_step) * (step[i] - mean_step) - spread);
      }
    }
  };
  const auto expansion = [&](const Tensor& a, const Tensor& b, double eps) {
    const Path u(a, d0), v(b, d1);
    double constant = 0, slope = 0, bend = 0;
    for (std::size_t i = 0; i < u.p.size(); ++i) {
      const double p = u.p[i], q = v.p[i], m = (p + q) / 2;
      const double by_p = std::log(p / m) / 2, by_q = std::log(q / m) / 2;
      constant += p * by_p + q * by_q;
      slope += by_p * u.first[i] + by_q * v.first[i];
      bend += by_p * u.second[i] + by_q * v.second[i] + u.first[i] * u.first[i] * (1 / p - 1 / (2 * m)) / 2 +
              v.first[i] * v.first[i] * (1 / q - 1 / (2 * m)) / 2 - u.first[i] * v.first[i] / (2 * m);
    }
    return constant + eps * slope + eps * eps / 2 * bend;
  };
  for (const Tensor& second : {z1, z0}) {  // different views, and noise around one
    const auto gap = [&](double eps) { return exact(z0, second, eps) - expansion(z0, second, eps); };
    CHECK(std::abs(gap(0)) < 1e-14);
    CHECK(std::abs(gap(0.01)) < 1e-2 * 0.01 * 0.01);
    CHECK(gap(0.02) / gap(0.01) == doctest::Approx(8).epsilon(0.2));  // third order
    CHECK(std::abs(expansion(z0, second, 0.02) - exact(z0, second, 0)) > 100 * std::abs(gap(0.02)));
  }
  // Around one point: JS = eps^2 / 8 (d0 - d1)^T F (d0 - d1) + ..., F the Fisher matrix of softmax.
  const Path difference(z0, sub(d0, d1));
  double fisher = 0;
  for (std::size_t i = 0; i < difference.p.size(); ++i)
    fisher += difference.first[i] * difference.first[i] / difference.p[i];
  CHECK(exact(z0, z0, 1e-3) == doctest::Approx(1e-6 / 8 * fisher).epsilon(1e-2));
}
