// The fused loss against the separate ops that define its terms.
#include "engine/ops/view_loss.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "engine/ops/jensen_shannon.h"
#include "losses/losses.h"
#include "tests/check_op.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::message_of;
using testing::relative_error;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

/// Labels spread over the classes.
Tensor some_labels(std::int64_t count, std::int64_t classes) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < count; ++i) labels.push_back((7 * i + 3) % classes);
  return Tensor::from(labels, {count});
}

/// Every example's partner is the one before it.
std::vector<std::int64_t> rotation(std::int64_t count) {
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < count; ++i) order.push_back((i + count - 1) % count);
  return order;
}

ViewLossOptions noisymix(std::int64_t views, std::int64_t samples) {
  ViewLossOptions options;
  options.views = views;
  options.lambda = 0.3;
  options.permutation = rotation(samples);
  options.label_smoothing = 0.1;
  options.consistency_weight = 12;
  return options;
}

/// The definition by the separate ops: the two terms and their sum.
struct Composed {
  Tensor cross_entropy, consistency, loss;
};

Composed composed(const Tensor& logits, const Tensor& labels, const ViewLossOptions& o) {
  Composed result;
  const std::int64_t b = labels.dim(0);
  for (std::int64_t v = 0; v < o.counted_views; ++v) {
    const Tensor term = mixed_cross_entropy(logits.rows(v * b, (v + 1) * b), labels, o.lambda, o.permutation,
                                            o.label_smoothing);
    result.cross_entropy = v == 0 ? term : add(result.cross_entropy, term);
  }
  if (o.counted_views > 1)
    result.cross_entropy = mul(result.cross_entropy, 1.0 / static_cast<double>(o.counted_views));
  result.loss = result.cross_entropy;
  if (o.consistency_weight == 0) return result;
  result.consistency = mul(jensen_shannon(logits, o.views, o.consistency_floor), o.consistency_weight);
  result.loss = add(result.cross_entropy, result.consistency);
  return result;
}

/// lambda acc(y) + (1 - lambda) acc(y[permutation]) of the first view.
double mixed_accuracy(const Tensor& logits, const Tensor& labels, const ViewLossOptions& o) {
  const auto truth = labels.to_vector<std::int64_t>();
  const auto predicted = argmax(logits.rows(0, labels.dim(0)), 1).to_vector<std::int64_t>();
  const double lambda = o.permutation.empty() ? 1 : o.lambda;
  double correct = 0;
  for (std::size_t i = 0; i < truth.size(); ++i) {
    const std::size_t partner = o.permutation.empty() ? i : static_cast<std::size_t>(o.permutation[i]);
    correct += (predicted[i] == truth[i] ? lambda : 0) + (predicted[i] == truth[partner] ? 1 - lambda : 0);
  }
  return correct / static_cast<double>(truth.size());
}

/// Value, reported terms and gradient equal the composition's, within `tolerance` relative.
void check_composition(const Tensor& logits, const ViewLossOptions& options, double tolerance) {
  const Tensor labels = some_labels(logits.dim(0) / options.views, logits.dim(1));
  Tensor x = logits.clone(), z = logits.clone();
  x.set_requires_grad();
  z.set_requires_grad();
  const ViewLoss got = view_loss(x, labels, options);
  const Composed want = composed(z, labels, options);
  CHECK(relative_error(got.loss, want.loss) <= tolerance);
  const std::vector<double> terms = got.terms.to_vector<double>();
  CHECK(std::abs(terms[0] - want.cross_entropy.item()) <= tolerance * (1 + std::abs(terms[0])));
  // A large floor makes the consistency negative.
  const double consistency = want.consistency.defined() ? want.consistency.item() : 0;
  CHECK(std::abs(terms[1] - consistency) <= tolerance * (1 + std::abs(consistency)));
  CHECK(terms[2] == doctest::Approx(mixed_accuracy(logits, labels, options)));
  backward(got.loss * 0.7);  // a gradient of the loss other than 1
  backward(want.loss * 0.7);
  CHECK(relative_error(x.grad(), z.grad()) <= tolerance);
}

TEST_CASE("view_loss: agrees with the separate ops in f64, value and gradient") {
  int key = 0;
  for (const std::int64_t views : {1, 2, 3})
    for (const std::int64_t classes : {1, 2, 10, 1000})
      for (const std::int64_t samples : {1, 5})
        for (const double lambda : {0.0, 0.3, 1.0})
          for (const double smoothing : {0.0, 0.1, 1.0})
            for (const double weight : {0.0, 12.0}) {
              CAPTURE(views);
              CAPTURE(classes);
              CAPTURE(samples);
              CAPTURE(lambda);
              CAPTURE(smoothing);
              CAPTURE(weight);
              ViewLossOptions options = noisymix(views, samples);
              options.lambda = lambda;
              options.label_smoothing = smoothing;
              options.consistency_weight = weight;
              options.counted_views = key % 2 == 0 ? 1 : views;
              options.consistency_floor = key % 3 == 0 ? 0.05 : 1e-7;  // 0.05 clamps many classes
              if (key % 5 == 0) options.permutation.clear();
              const Shape shape{views * samples, classes};
              check_composition(random_normal(shape, Key(1).child(key++), 0, 2, Dtype::f64), options, 1e-12);
            }
}

TEST_CASE("view_loss: reports what the separate ops report in f32, bit for bit") {
  for (int key = 0; key < 20; ++key) {
    CAPTURE(key);
    ViewLossOptions options = noisymix(3, 8);
    options.lambda = 0.05 * key;
    options.counted_views = key % 2 == 0 ? 1 : 3;
    const Tensor logits = random_normal({24, 10}, Key(2).child(key), 0, 2), labels = some_labels(8, 10);
    const ViewLoss got = view_loss(logits, labels, options);
    const Composed want = composed(logits, labels, options);
    CHECK(got.loss.item() == want.loss.item());
    CHECK(got.terms.to_vector<double>()[0] == want.cross_entropy.item());
    CHECK(got.terms.to_vector<double>()[1] == want.consistency.item());
  }
}

TEST_CASE("view_loss: exact values") {
  // Two certain and opposite views, the first one right: no cross entropy, each is log 2 from the mixture.
  const Tensor opposite = Tensor::from<double>({1000, 0, 0, 1000}, {2, 2}), label = some_labels(1, 3);
  ViewLossOptions options;
  options.views = 2;
  options.consistency_weight = 3;
  const Tensor first = Tensor::from<std::int64_t>({0}, {1}), second = Tensor::from<std::int64_t>({1}, {1});
  CHECK(view_loss(opposite, first, options).loss.item() == doctest::Approx(3 * std::log(2)));
  const auto right = view_loss(opposite, first, options).terms.to_vector<double>();
  CHECK(right[0] == 0);
  CHECK(right[1] == doctest::Approx(3 * std::log(2)));
  CHECK(right[2] == 1);
  CHECK(view_loss(opposite, second, options).terms.to_vector<double>()[2] == 0);
  CHECK(view_loss(opposite, second, options).terms.to_vector<double>()[0] == 1000);
  options.counted_views = 2;
  CHECK(view_loss(opposite, second, options).terms.to_vector<double>()[0] == 500);
  options.consistency_weight = 0;
  CHECK(view_loss(opposite, second, options).loss.item() == 500);
  CHECK(view_loss(Tensor::zeros({1, 3}), label, {}).loss.item() == doctest::Approx(std::log(3)));
}

TEST_CASE("view_loss: gradients against finite differences") {
  for (const std::int64_t views : {1, 2, 3})
    for (const double floor : {1e-7, 0.05})
      for (const std::int64_t counted : {std::int64_t{1}, views}) {
        ViewLossOptions options = noisymix(views, 2);
        options.consistency_floor = floor;
        options.counted_views = counted;
        check_gradients([&](const Inputs& in) { return view_loss(in[0], some_labels(2, 7), options).loss; },
                        {random_normal({views * 2, 7}, Key(3), 0, 1.5)});
      }
}

TEST_CASE("view_loss: views that do not enter the loss get a zero gradient") {
  ViewLossOptions options;
  options.views = 3;
  Tensor x = random_normal({6, 4}, Key(4));
  x.set_requires_grad();
  backward(view_loss(x, some_labels(2, 4), options).loss);
  const auto gradient = values(x.grad());
  for (std::size_t i = 0; i < gradient.size(); ++i) CHECK((gradient[i] != 0) == (i < 8));
}

TEST_CASE("view_loss: f32 and bf16 follow f64") {
  const Tensor stored = random_normal({15, 10}, Key(5), 0, 2).to(Dtype::bf16), labels = some_labels(5, 10);
  const ViewLossOptions options = noisymix(3, 5);
  const auto run = [&](Dtype dtype) {
    Tensor x = stored.to(dtype).clone();
    x.set_requires_grad();
    const ViewLoss got = view_loss(x, labels, options);
    backward(got.loss);
    return Inputs{got.loss.detach(), x.grad()};
  };
  const Inputs f64 = run(Dtype::f64), f32 = run(Dtype::f32), bf16 = run(Dtype::bf16);
  CHECK(f32[0].dtype() == Dtype::f32);
  for (const int i : {0, 1}) {
    const auto at = static_cast<std::size_t>(i);
    CHECK(relative_error(f32[at].to(Dtype::f64), f64[at]) < 1e-6);
  }
  // bf16 logits: the loss of the same numbers in f32, the gradient rounded once.
  CHECK(same_bits(bf16[0], f32[0]));
  CHECK(same_bits(bf16[1], f32[1].to(Dtype::bf16)));
}

TEST_CASE("view_loss: certain predictions have finite values and gradients") {
  const float inf = std::numeric_limits<float>::infinity();
  Tensor x = Tensor::from<float>({2000, 0, -2000, 0, 2000, 0, 0, -inf, 0}, {3, 3});
  x.set_requires_grad();
  const ViewLoss got = view_loss(x, Tensor::from<std::int64_t>({2}, {1}), noisymix(3, 1));
  CHECK(std::isfinite(got.loss.item()));
  backward(got.loss);
  CHECK(all_finite(x.grad()));
}

TEST_CASE("view_loss: a view that is not a number makes the loss none") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int view : {0, 1, 2}) {
    std::vector<float> logits{1, 2, 3, 4, 5, 6};
    logits[static_cast<std::size_t>(2 * view)] = nan;
    CHECK(std::isnan(view_loss(Tensor::from(logits, {3, 2}), some_labels(1, 2), noisymix(3, 1)).loss.item()));
  }
}

TEST_CASE("view_loss: same bits for any number of threads") {
  const Tensor x = random_normal({3 * 401, 11}, Key(6)), labels = some_labels(401, 11);
  check_same_bits_for_any_threads([&] {
    Tensor leaf = x.clone();
    leaf.set_requires_grad();
    const ViewLoss y = view_loss(leaf, labels, noisymix(3, 401));
    backward(y.loss);
    return Inputs{y.loss.detach(), leaf.grad()};
  });
}

TEST_CASE("view_loss: records nothing without a gradient to find") {
  const Tensor x = random_normal({6, 4}, Key(7)), labels = some_labels(2, 4);
  CHECK(!view_loss(x, labels, noisymix(3, 2)).loss.tracks_grad());
  Tensor leaf = x.clone();
  leaf.set_requires_grad();
  CHECK(view_loss(leaf, labels, noisymix(3, 2)).loss.item() ==
        view_loss(x, labels, noisymix(3, 2)).loss.item());
}

TEST_CASE("view_loss: errors in the tensors") {
  const Tensor logits = Tensor::ones({4, 5}), labels = some_labels(2, 5);
  const auto message = [](const Tensor& x, const Tensor& y, std::int64_t views) {
    ViewLossOptions options;
    options.views = views;
    return message_of([&] { view_loss(x, y, options); });
  };
  CHECK(message(Tensor::ones({4}), labels, 2) ==
        "[view_loss] expects logits [views * b, k] with k > 0, got shape [4]");
  CHECK(message(logits, labels, 3) == "[view_loss] cannot divide 4 rows into 3 views of at least one sample");
  CHECK(message(Tensor::ones({0, 5}), labels, 1) ==
        "[view_loss] cannot divide 0 rows into 1 views of at least one sample");
  CHECK(message(logits, Tensor::ones({2}), 2) == "[view_loss] expects i64 labels, got f32");
  CHECK(message(logits, some_labels(4, 5), 2) ==
        "[view_loss] expects labels of shape [2] for 2 views with logits [4, 5], got [4]");
  CHECK(message(logits, Tensor::from<std::int64_t>({1, 5}, {2}), 2) ==
        "[view_loss] label 5 in row 1 is outside 0..4");
  CHECK(message(logits.to(Dtype::i64), labels, 2) ==
        "[view_loss] expects a floating dtype (f32, bf16, f64), got i64");
}

TEST_CASE("view_loss: errors in the options") {
  const auto message = [](const auto& change) {
    ViewLossOptions options = noisymix(2, 2);
    change(options);
    return message_of([&] { view_loss(Tensor::ones({4, 5}), some_labels(2, 5), options); });
  };
  using O = ViewLossOptions;
  CHECK(message([](O&) {}) == "no error");
  CHECK(message([](O& o) { o.counted_views = 3; }) ==
        "[view_loss] cannot count 3 of 2 views in the cross entropy");
  CHECK(message([](O& o) { o.counted_views = 0; }) ==
        "[view_loss] cannot count 0 of 2 views in the cross entropy");
  CHECK(message([](O& o) { o.lambda = 1.5; }) == "[view_loss] lambda must be in [0, 1], got 1.5");
  CHECK(message([](O& o) { o.permutation = {1}; }) == "[view_loss] a permutation of 1 for 2 labels");
  CHECK(message([](O& o) {
          o.permutation = {1, 2};
        }) == "[view_loss] partner 2 at position 1 is outside 0..1");
  CHECK(message([](O& o) { o.label_smoothing = -1; }) ==
        "[view_loss] expects label smoothing in 0..1, got -1");
  CHECK(message([](O& o) { o.consistency_weight = -1; }) ==
        "[view_loss] expects a consistency weight of at least 0, got -1");
  CHECK(message([](O& o) { o.consistency_floor = -0.5; }) ==
        "[view_loss] expects a floor of 0 to 1, got -0.5");
  CHECK(message([](O& o) { o.consistency_floor = o.consistency_weight = 0; }) == "no error");
}

}  // namespace
}  // namespace noisymix
