// FGSM and PGD: closed forms on linear models, order of losses on a network, balls, ranges, units and
// batches.
#include "augment/attacks.h"

#include <cmath>

#include "engine/ops/cross_entropy.h"
#include "models/registry.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const Normalization kPlain{{0, 0, 0}, {1, 1, 1}};
const Normalization kCifar{{0.4914f, 0.4822f, 0.4465f}, {0.25f, 0.2f, 0.5f}};

/// loss = sum(w x), whose gradient is w everywhere.
AttackLoss linear(const Tensor& w) {
  return [w](const Tensor& x) { return sum(mul(w, x)); };
}

/// Images that use the whole data range, normalised.
Tensor images(const Shape& shape, int key, const Normalization& normalization, Dtype dtype = Dtype::f64) {
  std::vector<double> x = values(random_uniform(shape, Key(3).child(key), -0.1, 1.1, Dtype::f64));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const std::size_t c = i % static_cast<std::size_t>(shape[3]);
    x[i] = (std::min(std::max(x[i], 0.0), 1.0) - static_cast<double>(normalization.mean[c])) /
           static_cast<double>(normalization.stddev[c]);
  }
  return Tensor::from(x, shape).to(dtype);
}

/// A small network with batch norms whose running statistics are not the initial ones.
std::unique_ptr<Model> network(Dtype dtype) {
  ModelOptions options;
  options.depth = 10;
  options.width = 1;
  options.dropout = 0;
  std::unique_ptr<Model> model = make_model("wrn", options, Key(5));
  model->to(dtype);
  Context training;
  training.training = true;
  const NoGrad unrecorded;
  for (int i = 0; i < 3; ++i)
    (*model)(mul(random_normal({8, 8, 8, 3}, Key(i), 0.3, 1, dtype), 1.0), training);
  return model;
}

AttackLoss loss_of(Model& model, const Tensor& labels, Reduction reduction = Reduction::sum) {
  return [&model, labels, reduction](const Tensor& x) {
    return cross_entropy(model(x, Context::evaluation()), labels, 0, reduction);
  };
}

double value_at(const AttackLoss& loss, const Tensor& x) {
  const NoGrad unrecorded;
  return loss(x).item();
}

/// Per image, in units of [0, 1]: length of y - x.
std::vector<double> unit_distances(const Tensor& x, const Tensor& y, const Normalization& normalization,
                                   bool l2) {
  const auto a = values(x), b = values(y);
  const auto n = static_cast<std::size_t>(x.dim(0)), size = a.size() / n,
             c = static_cast<std::size_t>(x.dim(3));
  std::vector<double> result(n);
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double gap = std::abs(b[i] - a[i]) * static_cast<double>(normalization.stddev[i % c]);
    double& total = result[i / size];
    total = l2 ? total + gap * gap : std::max(total, gap);
  }
  if (l2)
    for (double& value : result) value = std::sqrt(value);
  return result;
}

Tensor labels(std::int64_t n) {
  std::vector<std::int64_t> result;
  for (std::int64_t i = 0; i < n; ++i) result.push_back(i % 10);
  return Tensor::from(result, {n});
}

}  // namespace

TEST_CASE("attacks on a linear model have closed forms") {
  const Shape shape{2, 3, 5, 3};
  const Tensor x = images(shape, 1, kPlain), w = random_normal(shape, Key(2), 0, 1, Dtype::f64);
  const auto at = values(x), slope = values(w);

  const auto once = values(fgsm(linear(w), x, kPlain, {.epsilon = 0.25, .clip = false}));
  const auto clipped = values(fgsm(linear(w), x, kPlain, {.epsilon = 0.25}));
  // Every step has the same sign, so that after 7 of them the corner of the box is reached.
  const auto corner = values(pgd(linear(w), x, kPlain, {.epsilon = 0.25}, Key(1), 0));
  // Not after 2 steps of 0.0625.
  const auto inside =
      values(pgd(linear(w), x, kPlain, {.epsilon = 0.25, .iterations = 2, .step = 0.0625}, Key(1), 0));
  for (std::size_t i = 0; i < at.size(); ++i) {
    const double side = slope[i] > 0 ? 1 : -1;
    CHECK(once[i] == at[i] + 0.25 * side);
    CHECK(clipped[i] == std::min(std::max(at[i] + 0.25 * side, 0.0), 1.0));
    CHECK(corner[i] == at[i] + 0.25 * side);
    CHECK(inside[i] == at[i] + 0.125 * side);
  }

  const auto sphere = values(pgd(linear(w), x, kPlain, {.epsilon = 0.5, .norm = AttackNorm::l2}, Key(1), 0));
  for (std::size_t image = 0; image < 2; ++image) {
    double length = 0;
    for (std::size_t i = 45 * image; i < 45 * (image + 1); ++i) length += slope[i] * slope[i];
    for (std::size_t i = 45 * image; i < 45 * (image + 1); ++i)
      CHECK(sphere[i] == doctest::Approx(at[i] + 0.5 * slope[i] / std::sqrt(length)).epsilon(1e-12));
  }
}

TEST_CASE("attacks: the scale of the loss does not matter, however small") {
  const Shape shape{2, 4, 4, 1};
  const Tensor x = images(shape, 1, kPlain, Dtype::f32), w = random_normal(shape, Key(2));
  for (const AttackNorm norm : {AttackNorm::linf, AttackNorm::l2}) {
    const PgdOptions options{.epsilon = 0.1, .norm = norm};
    const Tensor want = pgd(linear(w), x, kPlain, options, Key(1), 0);
    for (const double factor : {0x1p-100, 0x1p-7, 0x1p60})
      CHECK(same_bits(pgd(linear(mul(w, factor)), x, kPlain, options, Key(1), 0), want));
    CHECK(same_bits(pgd(linear(zeros_like(w)), x, kPlain, options, Key(1), 0), x));  // nowhere to go
  }
}

TEST_CASE("attacks: unit range and normalised units differ by the deviations") {
  const Normalization even{{0.5f, 0.4f, 0.3f}, {0.25f, 0.25f, 0.25f}};
  const Shape shape{3, 4, 4, 3};
  const Tensor x = images(shape, 4, even), w = random_normal(shape, Key(6), 0, 1, Dtype::f64);
  const AttackLoss curved = [w](const Tensor& at) { return sum(mul(w, square(at))); };
  for (const AttackNorm norm : {AttackNorm::linf, AttackNorm::l2}) {
    for (const bool clip : {false, true}) {
      PgdOptions options{.epsilon = 0.125, .norm = norm, .start = AttackStart::random, .clip = clip};
      const Tensor unit = pgd(curved, x, even, options, Key(8), 0);
      options.space = AttackSpace::normalised;
      options.epsilon = 0.5;
      CHECK(relative_error(pgd(curved, x, even, options, Key(8), 0), unit) < 1e-12);
    }
  }
  // With deviations that differ, only the unit range weighs the channels: radius 0.1 becomes 0.1 / stddev.
  const Tensor start = images(shape, 4, kCifar);
  const auto moved = values(fgsm(linear(w), start, kCifar, {.epsilon = 0.1, .clip = false})),
             from = values(start);
  for (std::size_t i = 0; i < moved.size(); ++i)
    CHECK(std::abs(moved[i] - from[i]) == doctest::Approx(0.1 / static_cast<double>(kCifar.stddev[i % 3])));
}

TEST_CASE("attacks stay in their ball and in the data range, and raise the loss") {
  const std::unique_ptr<Model> model = network(Dtype::f32);
  const Tensor x = images({6, 8, 8, 3}, 7, kCifar, Dtype::f32);
  const AttackLoss loss = loss_of(*model, labels(6));
  const double clean = value_at(loss, x);
  for (const double epsilon : {2.0 / 255, 8.0 / 255}) {
    const Tensor quick = fgsm(loss, x, kCifar, {.epsilon = epsilon});
    for (const double gap : unit_distances(x, quick, kCifar, false)) CHECK(gap <= epsilon + 1e-6);
    for (const AttackNorm norm : {AttackNorm::linf, AttackNorm::l2}) {
      for (const AttackStart start : {AttackStart::zero, AttackStart::random}) {
        for (const bool clip : {false, true}) {
          const bool l2 = norm == AttackNorm::l2;
          const double radius = l2 ? epsilon * std::sqrt(8 * 8 * 3) : epsilon;
          const Tensor y = pgd(loss, x, kCifar,
                               {.epsilon = radius, .norm = norm, .start = start, .clip = clip}, Key(2), 0);
          const auto gaps = unit_distances(x, y, kCifar, l2);
          for (const double gap : gaps) CHECK(gap <= radius + 1e-6);
          if (!clip)
            for (const double gap : gaps) CHECK(gap > 0.5 * radius);
          bool inside = true;
          const auto v = values(y);
          for (std::size_t i = 0; i < v.size(); ++i) {
            const double unit =
                v[i] * static_cast<double>(kCifar.stddev[i % 3]) + static_cast<double>(kCifar.mean[i % 3]);
            inside = inside && unit >= -1e-6 && unit <= 1 + 1e-6;
          }
          CHECK(inside == clip);
          CHECK(value_at(loss, y) > clean);
          if (!l2 && clip && start == AttackStart::zero) {
            CHECK(value_at(loss, quick) > clean);
            CHECK(value_at(loss, y) >= value_at(loss, quick));
          }
        }
      }
    }
  }
}

TEST_CASE("attacks leave the parameters' gradients alone, and work where none are recorded") {
  const std::unique_ptr<Model> model = network(Dtype::f32);
  Module::Named parameters = model->parameters();
  parameters[0].second.set_grad(Tensor::ones(parameters[0].second.shape()));
  const auto before = values(parameters[0].second.grad());
  const NoGrad unrecorded;
  const Tensor x = images({2, 8, 8, 3}, 7, kCifar, Dtype::f32);
  const Tensor y = pgd(loss_of(*model, labels(2)), x, kCifar, {}, Key(2), 0);
  CHECK_FALSE(same_bits(x, y));
  CHECK_FALSE(y.tracks_grad());
  CHECK_FALSE(x.requires_grad());
  CHECK(values(parameters[0].second.grad()) == before);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK(parameters[i].second.requires_grad());
    CHECK((i == 0 || !parameters[i].second.grad().defined()));
  }
}

TEST_CASE("attacks: examples do not depend on their batch") {
  const std::unique_ptr<Model> model = network(Dtype::f64);
  const Tensor x = images({5, 8, 8, 3}, 9, kCifar), y = labels(5);
  for (const AttackNorm norm : {AttackNorm::linf, AttackNorm::l2}) {
    const PgdOptions options{.epsilon = 0.05, .norm = norm, .start = AttackStart::random, .clip = true};
    const Tensor whole = pgd(loss_of(*model, y), x, kCifar, options, Key(4), 10);
    for (const auto& [begin, end] : {std::pair{0, 2}, {2, 3}, {3, 5}}) {
      const AttackLoss part = loss_of(*model, y.rows(begin, end), Reduction::mean);
      const Tensor own = pgd(part, x.rows(begin, end), kCifar, options, Key(4), 10 + begin);
      CHECK(relative_error(own, whole.rows(begin, end)) < 1e-9);
    }
    const Tensor other = pgd(loss_of(*model, y), x, kCifar, options, Key(4), 11);
    CHECK(relative_error(other, whole) > 1e-4);
  }
}

TEST_CASE("the gradient by the input through batch norms in evaluation mode") {
  const std::unique_ptr<Model> model = network(Dtype::f64);
  const Tensor x = images({3, 8, 8, 3}, 11, kCifar);
  const AttackLoss loss = loss_of(*model, labels(3));
  const Tensor gradient = input_gradient(loss, x);
  for (int i = 0; i < 8; ++i) {
    const Tensor direction = random_normal(x.shape(), Key(i), 0, 1, Dtype::f64);
    const double step = 1e-6;
    const double numeric =
        (value_at(loss, add(x, mul(direction, step))) - value_at(loss, add(x, mul(direction, -step)))) /
        (2 * step);
    CHECK(sum(mul(gradient, direction)).item() == doctest::Approx(numeric).epsilon(1e-6));
  }
}

TEST_CASE("attacks name what is wrong") {
  const Tensor x = Tensor::zeros({1, 2, 2, 3});
  const AttackLoss loss = linear(x);
  const auto run = [&](const PgdOptions& options, const Tensor& at) {
    pgd(loss, at, kPlain, options, Key(1), 0);
  };
  CHECK_THROWS_WITH_AS(run({.epsilon = -1}, x), "[pgd] epsilon must be a number of at least 0, got -1",
                       ConfigError);
  CHECK_THROWS_WITH_AS(run({.iterations = 0}, x), "[pgd] needs at least one iteration, got 0", ConfigError);
  CHECK_THROWS_WITH_AS(
      run({.step = -0.5}, x),
      "[pgd] step must be a number of at least 0 (0 means 2.5 epsilon / iterations), got -0.5", ConfigError);
  CHECK_THROWS_WITH_AS(run({}, Tensor::zeros({4, 2})), "[pgd] expects images [n, h, w, c], got shape [4, 2]",
                       ShapeError);
  CHECK_THROWS_WITH_AS(fgsm(loss, Tensor::zeros({1, 2, 2, 4}), kPlain),
                       "[fgsm] expects 1 or 3 channels, x has shape [1, 2, 2, 4]", ShapeError);
  CHECK_THROWS_WITH_AS(fgsm(loss, x, kPlain, {.epsilon = std::nan("")}),
                       "[fgsm] epsilon must be a number of at least 0, got nan", ConfigError);
  CHECK_THROWS_AS(fgsm([](const Tensor&) { return Tensor::ones({}); }, x, kPlain), ShapeError);
  CHECK(fgsm(loss, Tensor::zeros({0, 2, 2, 3}), kPlain).shape() == Shape{0, 2, 2, 3});
  CHECK(same_bits(pgd(loss, x, kPlain, {.epsilon = 0, .norm = AttackNorm::l2}, Key(1), 0), x));
}
