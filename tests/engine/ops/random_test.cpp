#include "engine/ops/random.h"

#include <doctest/doctest.h>

#include <cmath>
#include <string>

#include "tests/check_op.h"

namespace noisymix {
namespace {

using testing::check_same_bits_for_any_threads;
using testing::same_bits;
using testing::values;

struct Moments {
  double mean = 0, variance = 0, low = INFINITY, high = -INFINITY;
};

Moments moments(const Tensor& x) {
  Moments m;
  for (const double v : values(x)) {
    m.mean += v;
    m.variance += v * v;
    m.low = std::min(m.low, v);
    m.high = std::max(m.high, v);
  }
  m.mean /= static_cast<double>(x.numel());
  m.variance = m.variance / static_cast<double>(x.numel()) - m.mean * m.mean;
  return m;
}

TEST_CASE("random: element i is the key's i-th draw, whatever the shape") {
  const Key key(7);
  const auto u = random_uniform({3, 5}, key, -1, 3, Dtype::f64).to_vector<double>();
  const auto z = random_normal({15}, key, 2, 0.5, Dtype::f64).to_vector<double>();
  for (std::uint64_t i = 0; i < 15; ++i) {
    CHECK(u[i] == -1 + 4 * key.uniform(i));
    CHECK(z[i] == 2 + 0.5 * key.normal(i));
  }
}

TEST_CASE("random: all dtypes hold the same numbers, rounded") {
  const Tensor wide = random_normal({100}, Key(1), 0, 1, Dtype::f64);
  CHECK(same_bits(random_normal({100}, Key(1)), wide.to(Dtype::f32)));
  CHECK(same_bits(random_normal({100}, Key(1), 0, 1, Dtype::bf16), wide.to(Dtype::bf16)));
}

TEST_CASE("random: moments and range") {
  const Moments u = moments(random_uniform({200000}, Key(3), -2, 4));
  CHECK(u.mean == doctest::Approx(1).epsilon(0.02));
  CHECK(u.variance == doctest::Approx(3).epsilon(0.02));
  CHECK(u.low >= -2);
  CHECK(u.high < 4);
  const Moments z = moments(random_normal({200000}, Key(4), 1, 3));
  CHECK(z.mean == doctest::Approx(1).epsilon(0.03));
  CHECK(z.variance == doctest::Approx(9).epsilon(0.02));
}

TEST_CASE("random: rounding never reaches the excluded end") {
  // bf16 has steps of 1/256 below 1: about one draw in 500 would round to 1.
  CHECK(moments(random_uniform({20000}, Key(5), 0, 1, Dtype::bf16)).high < 1);
  CHECK(moments(random_uniform({20000}, Key(5), -1, 0, Dtype::bf16)).high < 0);
  CHECK(moments(random_uniform({20000}, Key(5), -2, -1, Dtype::bf16)).high < -1);
  CHECK(moments(random_uniform({20000}, Key(5), 1, 1 + 0x1p-22)).high < 1 + 0x1p-22);
}

TEST_CASE("random: same bits for any number of threads") {
  check_same_bits_for_any_threads(
      [] { return std::vector{random_normal({50001}, Key(6)), random_uniform({50001}, Key(6))}; });
}

TEST_CASE("random: empty shapes and errors") {
  CHECK(random_uniform({0, 4}, Key(1)).numel() == 0);
  CHECK(random_normal({}, Key(1)).numel() == 1);
  CHECK_THROWS_WITH_AS(random_uniform({2}, Key(1), 1, 1), "[random_uniform] expects low < high, got 1 and 1",
                       ShapeError);
  CHECK_THROWS_WITH_AS(random_normal({2}, Key(1), 0, -1),
                       "[random_normal] expects a standard deviation of at least 0, got -1", ShapeError);
  CHECK_THROWS_WITH_AS(random_uniform({2}, Key(1), 0, 1, Dtype::i64),
                       "[random] expects a floating dtype (f32, bf16, f64), got i64", ShapeError);
}

}  // namespace
}  // namespace noisymix
