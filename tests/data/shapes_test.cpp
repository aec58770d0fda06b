// The built-in pictures: pure functions of seed, split and index, balanced, varied.
#include "data/shapes.h"

#include <doctest/doctest.h>

#include <cmath>

#include "data/registry.h"
#include "data/shape_outlines.h"
#include "data/shape_textures.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"

using namespace noisymix;

TEST_CASE("shapes: an example depends on seed, split and index alone") {
  const auto all = make_shapes(5, true, 60);
  cpu::set_threads(1);
  const auto fewer = make_shapes(5, true, 30);
  cpu::set_threads(0);
  for (std::int64_t i = 0; i < 30; ++i) {
    CHECK(all->get(i).image == fewer->get(i).image);
    CHECK(all->get(i).image == draw_shape(5, true, i));
    CHECK(all->get(i).label == i % 10);
  }
  CHECK_FALSE(draw_shape(5, true, 0) == draw_shape(6, true, 0));
  CHECK_FALSE(draw_shape(5, true, 0) == draw_shape(5, false, 0));
  CHECK_FALSE(draw_shape(5, true, 0) == draw_shape(5, true, 10));
}

TEST_CASE("shapes: registered, with the documented sizes") {
  const auto test = open_dataset({.name = "shapes", .train = false, .count = 200});
  CHECK(test->size() == 200);
  CHECK(test->classes() == 10);
  CHECK(test->sample_shape() == std::vector<std::int64_t>{32, 32, 3});
  CHECK(make_shapes(0, false)->size() == 2000);
  CHECK_THROWS_AS(make_shapes(0, true, -1), ConfigError);
  CHECK_THROWS_WITH_AS(open_dataset({.name = "shpes"}),
                       doctest::Contains("unknown data set 'shpes', expected one of shapes"), ConfigError);
}

TEST_CASE("shapes: pictures are neither flat nor saturated") {
  double clipped = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const Image image = draw_shape(0, true, i);
    double sum = 0, squares = 0;
    for (const std::uint8_t value : image.pixels) {
      sum += value;
      squares += value * value;
      clipped += value == 0 || value == 255;
    }
    const double n = static_cast<double>(image.pixels.size());
    CHECK(std::sqrt(squares / n - sum / n * sum / n) > 10);
  }
  CHECK(clipped / (200 * 3072) < 0.1);
}

TEST_CASE("shapes: outlines contain a point, end within 1.3 radii, and their distance is never too large") {
  for (int which = 0; which < kOutlines; ++which) {
    CAPTURE(which);
    double inside = 0;
    for (double y = -2; y <= 2; y += 0.05)
      for (double x = -2; x <= 2; x += 0.05) {
        const double d = outline_distance(which, x, y);
        inside += d < 0 ? 0.0025 : 0;
        if (std::hypot(x, y) > 1.45) CHECK(d > 0);
        // A distance changes by at most the step.
        CHECK(std::abs(outline_distance(which, x + 0.01, y) - d) <= 0.01 + 1e-9);
      }
    CHECK(inside > 0.8);
    CHECK(inside < 3);
  }
}

TEST_CASE("shapes: textures stay in [-1, 1] and are not flat") {
  for (int which = 0; which < kTextures; ++which) {
    CAPTURE(which);
    double sum = 0, most = 0;
    for (int draw = 0; draw < 20; ++draw) {
      const Texture texture = draw_texture(which, 3, 5, Key(static_cast<std::uint64_t>(draw)));
      for (int y = 0; y < 32; ++y)
        for (int x = 0; x < 32; ++x) {
          const double value = texture_value(texture, x, y);
          sum += value;
          most = std::max(most, std::abs(value));
        }
    }
    CHECK(most <= 1 + 1e-12);
    CHECK(most > 0.5);
    CHECK(std::abs(sum / (20 * 1024)) < 0.7);
  }
}
