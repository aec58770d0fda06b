#include "engine/ops/dropout.h"

#include <doctest/doctest.h>

#include <cmath>
#include <vector>

#include "tests/ops_golden.h"

namespace noisymix {
namespace {

using testing::check_gradients;
using testing::check_same_bits_for_any_threads;
using testing::check_ops_case;
using testing::check_ops_cases;
using testing::ops_cases;
using testing::same_bits;
using testing::values;
using Inputs = std::vector<Tensor>;

TEST_CASE("dropout: element i depends on the key and i alone") {
  const Key key(5);
  const auto y = dropout(Tensor::ones({3, 7}), 0.25, key).to_vector<float>();
  for (std::uint64_t i = 0; i < y.size(); ++i) {
    const bool kept = key.block(i / 4)[i % 4] >= 0x40000000u;
    CHECK(y[i] == (kept ? 4.0f / 3 : 0.0f));
  }
  CHECK(dropout(Tensor::ones({21}), 0.25, key).to_vector<float>() == y);
}

TEST_CASE("dropout: share of zeros, mean, independence of neighbours") {
  for (const double p : {0.1, 0.5, 0.9}) {
    const auto y = values(dropout(Tensor::ones({100000}), p, Key(6)));
    double zeros = 0, total = 0, pairs = 0;
    for (std::size_t i = 0; i < y.size(); ++i) {
      zeros += y[i] == 0;
      total += y[i];
      pairs += i > 0 && y[i] == 0 && y[i - 1] == 0;
    }
    CHECK(zeros / 1e5 == doctest::Approx(p).epsilon(0.03));
    CHECK(total / 1e5 == doctest::Approx(1).epsilon(0.03));
    CHECK(pairs / 1e5 == doctest::Approx(p * p).epsilon(0.08));
  }
}

TEST_CASE("dropout: the backward pass uses the mask of the forward pass") {
  for (const double p : {0.3, 0.5}) {
    Tensor x = Tensor::ones({1001});
    x.set_requires_grad();
    const Tensor y = dropout(x, p, Key(7));
    backward(y, Tensor::ones({1001}));
    CHECK(same_bits(x.grad(), y.detach()));
  }
  check_gradients([](const Inputs& in) { return dropout(in[0], 0.4, Key(8)); },
                  {random_normal({5, 6}, Key(9))});
  check_gradients([](const Inputs& in) { return drop_path(in[0], 0.4, Key(8)); },
                  {random_normal({5, 6}, Key(9))});
}

TEST_CASE("dropout: drop_path zeroes whole samples") {
  const Key key(10);
  const Tensor x = random_uniform({50, 3, 4}, Key(11), 1, 2);
  const auto in = values(x), out = values(drop_path(x, 0.5, key));
  std::size_t dropped = 0;
  for (std::size_t i = 0; i < 50; ++i) {
    const bool kept = key.block(i / 4)[i % 4] >= 0x80000000u;
    dropped += !kept;
    for (std::size_t k = 0; k < 12; ++k) CHECK(out[i * 12 + k] == (kept ? 2 * in[i * 12 + k] : 0));
  }
  CHECK(dropped > 10);
  CHECK(dropped < 40);
}

TEST_CASE("dropout: probability 0 changes nothing, empty tensors pass") {
  const Tensor x = random_normal({4, 5}, Key(12));
  CHECK(same_bits(dropout(x, 0, Key(1)), x));
  CHECK(same_bits(drop_path(x, 0, Key(1)), x));
  CHECK(dropout(Tensor::empty({0, 3}), 0.5, Key(1)).shape() == Shape{0, 3});
  CHECK(drop_path(Tensor::empty({0, 3}), 0.5, Key(1)).shape() == Shape{0, 3});
  CHECK(drop_path(Tensor::empty({3, 0}), 0.5, Key(1)).shape() == Shape{3, 0});
}

TEST_CASE("dropout: same bits for any number of threads") {
  const Tensor x = random_normal({71, 1003}, Key(13));
  check_same_bits_for_any_threads([&] { return Inputs{dropout(x, 0.3, Key(14)), drop_path(x, 0.3, Key(14))}; });
}

TEST_CASE("dropout: errors") {
  CHECK_THROWS_WITH_AS(dropout(Tensor::ones({2}), 1, Key(1)),
                       "[dropout] expects a probability of at least 0 and below 1, got 1", ShapeError);
  CHECK_THROWS_WITH_AS(drop_path(Tensor::ones({2}), -0.5, Key(1)),
                       "[drop_path] expects a probability of at least 0 and below 1, got -0.5", ShapeError);
  CHECK_THROWS_WITH_AS(drop_path(Tensor::scalar(1), 0.5, Key(1)), "[drop_path] expects at least one axis",
                       ShapeError);
}

/// The reference gives its mask; the formula that both share is x * mask / (1 - p), the mask per element or
/// per sample.
TEST_CASE("dropout: reference values of the formula") {
  for (const char* op : {"dropout", "drop_path"})
    for (const auto& item : ops_cases(op))
      check_ops_case(item, {"x", "mask"}, [&](const Inputs& in) {
        std::vector<std::int64_t> dims = in[1].shape().dims();
        while (static_cast<int>(dims.size()) < in[0].rank()) dims.push_back(1);
        const Tensor mask = in[1].to(Dtype::f32).reshape(Shape(dims));
        return in[0] * mask * (1 / (1 - item.attrs["p"].get<double>()));
      });
}

}  // namespace
}  // namespace noisymix
