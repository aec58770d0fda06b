#include "engine/ops/cross_entropy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "engine/ops/softmax.h"
#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::check_ops_cases;
using testing::ops_cases;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

Tensor labels_of(const std::vector<std::int64_t>& labels) {
  return Tensor::from(labels, {static_cast<std::int64_t>(labels.size())});
}

/// Class weights [n, k] that integer labels with smoothing stand for.
Tensor smoothed(const std::vector<std::int64_t>& labels, std::int64_t classes, double smoothing) {
  std::vector<double> weights(labels.size() * static_cast<std::size_t>(classes),
                              smoothing / static_cast<double>(classes));
  for (std::size_t i = 0; i < labels.size(); ++i)
    weights[i * static_cast<std::size_t>(classes) + static_cast<std::size_t>(labels[i])] += 1 - smoothing;
  return Tensor::from(weights, {static_cast<std::int64_t>(labels.size()), classes});
}

TEST_CASE("cross_entropy: exact values") {
  const Tensor uniform = Tensor::zeros({2, 4}, Dtype::f64);
  CHECK(cross_entropy(uniform, labels_of({0, 3})).item() == doctest::Approx(std::log(4)));
  CHECK(cross_entropy(uniform, labels_of({0, 3}), 0, Reduction::sum).item() ==
        doctest::Approx(2 * std::log(4)));
  const Tensor each = cross_entropy(Tensor::from<double>({0, std::log(3), std::log(3), 0}, {2, 2}),
                                    labels_of({1, 1}), 0, Reduction::none);
  CHECK(each.shape() == Shape{2});
  CHECK(values(each)[0] == doctest::Approx(-std::log(0.75)));
  CHECK(values(each)[1] == doctest::Approx(-std::log(0.25)));
}

TEST_CASE("cross_entropy: agrees with its composition, with and without smoothing") {
  const Tensor x = random_normal({5, 7}, Key(1), 0, 2, Dtype::f64);
  const std::vector<std::int64_t> labels = {0, 6, 3, 3, 2};
  for (const double smoothing : {0.0, 0.1, 1.0}) {
    const Tensor weights = smoothed(labels, 7, smoothing);
    const Tensor expected = neg(sum(mul(weights, log_softmax(x)), {1}));
    const Tensor got = cross_entropy(x, labels_of(labels), smoothing, Reduction::none);
    CHECK(relative_error(got, expected) < 1e-14);
    CHECK(relative_error(cross_entropy_soft(x, weights, Reduction::none), expected) < 1e-14);
    CHECK(relative_error(cross_entropy(x, labels_of(labels), smoothing), mean(expected)) < 1e-14);
  }
}

TEST_CASE("cross_entropy: gradients") {
  const Tensor x = random_normal({4, 5}, Key(2), 0, 2), labels = labels_of({0, 4, 2, 2});
  const Tensor targets = softmax(random_normal({4, 5}, Key(3), 0, 1, Dtype::f64));
  const Tensor unnormalised = random_uniform({4, 5}, Key(4), 0, 1, Dtype::f64);
  for (const Reduction reduction : {Reduction::mean, Reduction::sum, Reduction::none}) {
    for (const double smoothing : {0.0, 0.2})
      check_gradients([&](const Inputs& in) { return cross_entropy(in[0], labels, smoothing, reduction); },
                      {x});
    check_gradients([&](const Inputs& in) { return cross_entropy_soft(in[0], targets, reduction); }, {x});
    check_gradients([&](const Inputs& in) { return cross_entropy_soft(in[0], unnormalised, reduction); },
                    {x});
  }
}

TEST_CASE("cross_entropy: large and masked logits") {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor x = Tensor::from<float>({1e4f, 0, -1e4f, 0, -inf, 0}, {2, 3});
  x.set_requires_grad();
  const Tensor losses = cross_entropy(x, labels_of({2, 0}), 0, Reduction::none);
  CHECK(values(losses)[0] == 2e4);
  CHECK(values(losses)[1] == doctest::Approx(std::log(2)));
  backward(losses, Tensor::ones({2}));
  CHECK(x.grad().to_vector<float>() == std::vector<float>{1, 0, -1, -0.5f, 0, 0.5f});
}

TEST_CASE("cross_entropy: same bits for any number of threads") {
  const Tensor x = random_normal({1003, 17}, Key(5)), targets = softmax(random_normal({1003, 17}, Key(6)));
  std::vector<std::int64_t> labels(1003);
  for (std::size_t i = 0; i < labels.size(); ++i) labels[i] = Key(7).below(i, 17);
  const auto run = [&] {
    Tensor leaf = x.clone();
    leaf.set_requires_grad();
    const Tensor hard = cross_entropy(leaf, labels_of(labels), 0.1), soft = cross_entropy_soft(leaf, targets);
    backward(add(hard, soft));
    return Inputs{hard.detach(), soft.detach(), leaf.grad()};
  };
  check_same_bits_for_any_threads(run);
}

TEST_CASE("cross_entropy: bf16 and empty batches") {
  const Tensor x = random_normal({3, 5}, Key(8)).to(Dtype::bf16);
  const Tensor y = cross_entropy(x, labels_of({1, 0, 4}));
  CHECK(same_bits(y, cross_entropy(x.to(Dtype::f32), labels_of({1, 0, 4})).to(Dtype::bf16)));
  CHECK(cross_entropy(Tensor::empty({0, 5}), labels_of({}), 0, Reduction::sum).item() == 0);
  CHECK(cross_entropy(Tensor::empty({0, 5}), labels_of({}), 0, Reduction::none).shape() == Shape{0});
}

TEST_CASE("cross_entropy: errors") {
  const Tensor x = Tensor::ones({2, 3});
  CHECK_THROWS_WITH_AS(cross_entropy(x, labels_of({0, 3})),
                       "[cross_entropy] label 3 in row 1 is outside 0..2", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, labels_of({-1, 0})),
                       "[cross_entropy] label -1 in row 0 is outside 0..2", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, labels_of({0})),
                       "[cross_entropy] expects labels of shape [2] for logits [2, 3], got [1]", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, Tensor::ones({2}, Dtype::i32)),
                       "[cross_entropy] expects i64 labels, got i32", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::ones({3}), labels_of({0, 1, 2})),
                       "[cross_entropy] expects logits [n, k] with k > 0, got shape [3]", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(x, labels_of({0, 1}), 1.5),
                       "[cross_entropy] expects label smoothing in 0..1, got 1.5", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy(Tensor::empty({0, 3}), labels_of({})),
                       "[cross_entropy] the mean over an empty batch is undefined", ShapeError);
  CHECK_THROWS_WITH_AS(cross_entropy_soft(x, Tensor::ones({3, 2})),
                       "[cross_entropy_soft] expects targets of shape [2, 3], got [3, 2]", ShapeError);
}

TEST_CASE("cross_entropy: reference values") {
  for (const auto& item : ops_cases("cross_entropy")) {
    const std::string name = item.attrs["reduction"];
    const Reduction reduction = name == "mean"  ? Reduction::mean
                                : name == "sum" ? Reduction::sum
                                                : Reduction::none;
    const double smoothing = item.attrs["label_smoothing"];
    const bool soft = item.attrs["target"] == "probabilities";
    check_ops_case(item, {"x", "target"}, [&](const Inputs& in) {
      if (!soft) return cross_entropy(in[0], in[1], smoothing, reduction);
      const double share = smoothing / static_cast<double>(in[1].dim(1));
      return cross_entropy_soft(in[0], in[1] * (1 - smoothing) + share, reduction);
    });
  }
  for (const auto& item : ops_cases("mixup_cross_entropy"))
    check_ops_case(item, {"x", "target_a", "target_b"}, [&](const Inputs& in) {
      const double lambda = item.attrs["lam"];
      return lambda * cross_entropy(in[0], in[1]) + (1 - lambda) * cross_entropy(in[0], in[2]);
    });
}

TEST_CASE("cross_entropy: reference values of losses composed from other ops") {
  check_ops_cases("kl_div", {"logq", "p"}, [](const Inputs& in) {
    const Tensor terms = in[1] * (log(in[1]) - in[0]);
    return sum(terms) * (1.0 / static_cast<double>(in[0].dim(0)));
  });
  check_ops_cases("mse_loss", {"x", "target"}, [](const Inputs& in) { return mean(square(in[0] - in[1])); });
}

}  // namespace
}  // namespace noisymix
