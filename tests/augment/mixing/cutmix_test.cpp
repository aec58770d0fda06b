// CutMix: laws of the draws, pixels of the result.
#include "augment/mixing/cutmix.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/random.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

CutMixOptions always() {
  CutMixOptions options;
  options.probability = 1;
  return options;
}

}  // namespace

TEST_CASE("draws are a pure function of the key, and the streams are independent") {
  const auto a = draw_cutmix(always(), 16, 32, 32, Key(5)), b = draw_cutmix(always(), 16, 32, 32, Key(5));
  CHECK(a.active);
  CHECK(a.box == b.box);
  CHECK(a.permutation == b.permutation);
  CHECK(a.lambda == b.lambda);
  CutMixOptions often = always();
  often.probability = 0.99;
  CHECK(draw_cutmix(often, 16, 32, 32, Key(5)).box == a.box);
  CHECK(draw_cutmix(always(), 16, 32, 32, Key(6)).permutation != a.permutation);
}

TEST_CASE("the box is int(size sqrt(1 - lambda)) around a uniform centre, cut off at the border") {
  double mean_area = 0, expected_area = 0;
  int mixed = 0;
  std::vector<int> centres(24);
  const int steps = 4000;
  for (int step = 0; step < steps; ++step) {
    const Key key(step);
    const auto draw = draw_cutmix(always(), 4, 24, 40, key);
    // The same from the streams that the header names.
    const double ratio = std::sqrt(1 - Draws(key.child("lambda")).beta(1, 1));
    const int half_height = static_cast<int>(24 * ratio) / 2, half_width = static_cast<int>(40 * ratio) / 2;
    const auto row = static_cast<int>(key.child("centre").below(0, 24));
    const auto column = static_cast<int>(key.child("centre").below(1, 40));
    int inside = 0;
    for (int y = 0; y < 24; ++y)
      for (int x = 0; x < 40; ++x)
        inside += y >= row - half_height && y < row + half_height && x >= column - half_width &&
                  x < column + half_width;
    REQUIRE(draw.box.area() == inside);
    REQUIRE(draw.lambda == 1 - inside / 960.0);
    REQUIRE(draw.permutation.size() == (inside > 0 ? 4u : 0u));
    if (inside > 0) {
      REQUIRE(draw.box.top == std::max(row - half_height, 0));
      REQUIRE(draw.box.right == std::min(column + half_width, 40));
    }
    mixed += inside > 0;
    mean_area += inside / 960.0 / steps;
    expected_area += ratio * ratio / steps;
    ++centres[static_cast<std::size_t>(row)];
  }
  CHECK(mixed > 0.95 * steps);
  CHECK(expected_area == doctest::Approx(0.5).epsilon(0.03));
  CHECK(mean_area < expected_area);
  for (const int count : centres) CHECK(std::abs(count - steps / 24.0) < 60);
}

TEST_CASE("batches are mixed with the given probability") {
  CutMixOptions options;
  int active = 0;
  for (int step = 0; step < 4000; ++step) active += draw_cutmix(options, 2, 8, 8, Key(step)).active;
  CHECK(std::abs(active - 2000) < 130);
  options.probability = 0;
  for (int step = 0; step < 50; ++step) {
    const auto draw = draw_cutmix(options, 2, 8, 8, Key(step));
    CHECK_FALSE(draw.active);
    CHECK(draw.lambda == 1);
    CHECK(draw.permutation.empty());
  }
  options.probability = 1;
  options.alpha = 0;  // lambda = 1: an empty box
  CHECK(draw_cutmix(options, 2, 8, 8, Key(1)).lambda == 1);
}

TEST_CASE("all views get the box of the same partner") {
  const CutMixDraw draw{true, {1, 3, 2, 5}, {2, 0, 1}, 1 - 6.0 / 30};
  for (const Dtype dtype : {Dtype::f32, Dtype::f64, Dtype::bf16}) {
    const Tensor x = random_normal({6, 5, 6, 3}, Key(1), 0, 1, dtype);
    const Tensor y = apply_cutmix(draw, x, 2);
    CHECK(y.dtype() == dtype);
    REQUIRE(y.shape() == x.shape());
    const auto from = values(x), got = values(y);
    for (std::int64_t i = 0; i < 6; ++i)
      for (std::int64_t row = 0; row < 5; ++row)
        for (std::int64_t column = 0; column < 6; ++column)
          for (std::int64_t c = 0; c < 3; ++c) {
            const bool inside = row >= 1 && row < 3 && column >= 2 && column < 5;
            const std::int64_t image =
                inside ? i / 3 * 3 + draw.permutation[static_cast<std::size_t>(i % 3)] : i;
            const auto at = [&](std::int64_t n) {
              return static_cast<std::size_t>(((n * 5 + row) * 6 + column) * 3 + c);
            };
            REQUIRE(got[at(i)] == from[at(image)]);
          }
  }
  const Tensor x = random_normal({6, 5, 6, 3}, Key(1));
  CHECK(apply_cutmix({}, x, 2).raw() == x.raw());
  check_same_bits_for_any_threads([&] { return std::vector<Tensor>{apply_cutmix(draw, x, 2)}; });
}

TEST_CASE("wrong settings and tensors are named") {
  CutMixOptions options;
  for (const double probability : {-0.1, 1.1, std::nan("")}) {
    options.probability = probability;
    CHECK_THROWS_AS(draw_cutmix(options, 2, 8, 8, Key(1)), ConfigError);
  }
  options = {};
  options.alpha = -1;
  CHECK_THROWS_WITH_AS(draw_cutmix(options, 2, 8, 8, Key(1)),
                       "[cutmix] alpha must be a number of at least 0, got -1", ConfigError);
  CHECK_THROWS_AS(draw_cutmix({}, 2, 0, 8, Key(1)), ShapeError);
  const CutMixDraw draw{true, {0, 4, 0, 4}, {1, 0}, 0.75};
  CHECK_THROWS_AS(apply_cutmix(draw, Tensor::zeros({3, 8, 8, 3})), ShapeError);
  CHECK_THROWS_AS(apply_cutmix(draw, Tensor::zeros({2, 3, 8, 3})), ShapeError);
  CHECK_THROWS_AS(apply_cutmix(draw, Tensor::zeros({2, 8, 8})), ShapeError);
}
