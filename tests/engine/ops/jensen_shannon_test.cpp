#include "engine/ops/jensen_shannon.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/softmax.h"
#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::ops_cases;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

/// The definition, composed from other ops.
Tensor composed(const Tensor& logits, std::int64_t views, double floor) {
  const std::int64_t b = logits.dim(0) / views, k = logits.dim(1);
  const Tensor log_p = log_softmax(logits).reshape({views, b, k});
  const Tensor p = exp(log_p);
  const Tensor log_m = log(clamp(mean(p, {0}), floor, 1));
  return sum(p * (log_p - log_m)) * (1.0 / static_cast<double>(views * b));
}

TEST_CASE("jensen_shannon: exact values") {
  const Tensor same = Tensor::from<double>({1, 2, 3, 1, 2, 3, 1, 2, 3}, {3, 3});
  CHECK(jensen_shannon(same, 3).item() == doctest::Approx(0).epsilon(1e-12));
  // Two certain and opposite views: each is log 2 away from the mixture.
  const Tensor opposite = Tensor::from<double>({1000, 0, 0, 1000}, {2, 2});
  CHECK(jensen_shannon(opposite, 2).item() == doctest::Approx(std::log(2)));
  CHECK(jensen_shannon(random_normal({4, 5}, Key(1), 0, 1, Dtype::f64), 1).item() == doctest::Approx(0));
}

TEST_CASE("jensen_shannon: agrees with its composition, value and gradient") {
  for (const std::int64_t views : {2, 3, 4}) {
    for (const double floor : {1e-7, 0.05}) {  // 0.05 clamps many of the 12 classes
      Tensor x = random_normal({views * 3, 12}, Key(2), 0, 2, Dtype::f64), z = x.clone();
      x.set_requires_grad();
      z.set_requires_grad();
      const Tensor got = jensen_shannon(x, views, floor), expected = composed(z, views, floor);
      CHECK(relative_error(got, expected) < 1e-13);
      backward(got);
      backward(expected);
      CHECK(relative_error(x.grad(), z.grad()) < 1e-12);
    }
  }
}

TEST_CASE("jensen_shannon: gradients") {
  for (const std::int64_t views : {1, 2, 3})
    for (const double floor : {1e-7, 0.05})
      check_gradients([&](const Inputs& in) { return jensen_shannon(in[0], views, floor); },
                      {random_normal({views * 2, 7}, Key(3), 0, 1.5)});
}

TEST_CASE("jensen_shannon: certain predictions have finite values and gradients") {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor x = Tensor::from<float>({2000, 0, -2000, 0, 2000, 0, 0, -inf, 0}, {3, 3});
  x.set_requires_grad();
  const Tensor y = jensen_shannon(x, 3);
  CHECK(std::isfinite(y.item()));
  backward(y);
  CHECK(all_finite(x.grad()));
}

TEST_CASE("jensen_shannon: same bits for any number of threads") {
  const Tensor x = random_normal({3 * 401, 11}, Key(4));
  const auto run = [&] {
    Tensor leaf = x.clone();
    leaf.set_requires_grad();
    const Tensor y = jensen_shannon(leaf, 3);
    backward(y);
    return Inputs{y.detach(), leaf.grad()};
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("jensen_shannon: errors") {
  CHECK_THROWS_WITH_AS(jensen_shannon(Tensor::ones({4, 5}), 3),
                       "[jensen_shannon] cannot divide 4 rows into 3 views of at least one sample",
                       ShapeError);
  CHECK_THROWS_WITH_AS(jensen_shannon(Tensor::ones({0, 5}), 3),
                       "[jensen_shannon] cannot divide 0 rows into 3 views of at least one sample",
                       ShapeError);
  CHECK_THROWS_WITH_AS(jensen_shannon(Tensor::ones({4}), 2),
                       "[jensen_shannon] expects logits [views * b, k] with k > 0, got shape [4]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(jensen_shannon(Tensor::ones({4, 5}), 2, -0.5),
                       "[jensen_shannon] expects a floor of 0 to 1, got -0.5", ShapeError);
}

TEST_CASE("jensen_shannon without a floor is the plain divergence, also where probabilities underflow") {
  Tensor x = Tensor::from(std::vector<double>{0, -2000, 1, 0, -2000, 3}, {2, 3}).set_requires_grad();
  Tensor z = x.detach().clone().set_requires_grad();
  const Tensor plain = jensen_shannon(x, 2, 0), nearly = jensen_shannon(z, 2, 1e-300);
  CHECK(plain.item() > 0);
  CHECK(plain.item() == nearly.item());
  backward(plain);
  backward(nearly);
  for (const double g : values(x.grad())) CHECK(std::isfinite(g));
  CHECK(values(x.grad()) == values(z.grad()));
}

TEST_CASE("jensen_shannon: reference values") {
  const std::vector<std::string> names = {"a", "b", "c"};
  for (const auto& item : ops_cases("jsd3")) {
    INFO("case " << item.name);
    std::vector<float> stacked;
    for (const auto& name : names) {
      const auto rows = item.at(name).to_vector<float>();
      stacked.insert(stacked.end(), rows.begin(), rows.end());
    }
    const std::int64_t b = item.at("a").dim(0);
    Tensor logits = Tensor::from(stacked, {3 * b, item.at("a").dim(1)});
    logits.set_requires_grad();
    const Tensor y = jensen_shannon(logits, 3, item.attrs["clamp_min"]) * item.attrs["weight"].get<double>();
    CHECK(relative_error(y, item.at("y")) <= item.limit);
    backward(y, item.at("g_y"));
    for (std::size_t v = 0; v < names.size(); ++v) {
      const auto first = static_cast<std::int64_t>(v) * b;
      CHECK(relative_error(logits.grad().rows(first, first + b), item.at("grad_" + names[v])) <= item.limit);
    }
  }
}

}  // namespace
}  // namespace noisymix
