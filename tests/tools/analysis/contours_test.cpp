#include "tools/analysis/contours.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/key.h"

using namespace noisymix;

namespace {

double signed_area(const Outline& outline) {
  double twice = 0;
  for (std::size_t i = 0; i < outline.size(); ++i) {
    const auto &a = outline[i], &b = outline[(i + 1) % outline.size()];
    twice += a[0] * b[1] - b[0] * a[1];
  }
  return twice / 2;
}

/// Outer outlines and holes run in opposite directions, so their sum is the area of the region.
double area(const std::vector<Outline>& outlines) {
  double sum = 0;
  for (const Outline& outline : outlines) sum += signed_area(outline);
  return std::abs(sum);
}

/// f over a grid of points at 0, 1, ..., side - 1.
template <class F>
std::vector<double> sampled(int side, F f) {
  std::vector<double> values;
  for (int r = 0; r < side; ++r)
    for (int c = 0; c < side; ++c) values.push_back(f(c, r));
  return values;
}

/// Even-odd rule, as the figure is filled.
bool covers(const std::vector<Outline>& outlines, double x, double y) {
  bool inside = false;
  for (const Outline& outline : outlines) {
    for (std::size_t i = 0; i < outline.size(); ++i) {
      const auto &a = outline[i], &b = outline[(i + 1) % outline.size()];
      if ((a[1] > y) != (b[1] > y) && x < a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0])) inside = !inside;
    }
  }
  return inside;
}

}  // namespace

TEST_CASE("contours: a half plane, the whole grid, nothing") {
  const auto slope = sampled(5, [](double x, double) { return x; });
  const auto half = region_outlines(slope, 5, 5, 1.5);
  REQUIRE(half.size() == 1);
  CHECK(area(half) == doctest::Approx(2.5 * 4));
  for (const auto& [x, y] : half[0]) CHECK((x >= 1.5 && x <= 4 && y >= 0 && y <= 4));
  CHECK(area(region_outlines(slope, 5, 5, -1)) == doctest::Approx(16));
  CHECK(region_outlines(slope, 5, 5, 5).empty());
  CHECK(simplified(half[0], 1e-9).size() == 4);
  CHECK_THROWS_AS(region_outlines(slope, 5, 4, 1), ShapeError);
  CHECK_THROWS_AS(region_outlines({1, 2}, 1, 2, 1), ShapeError);
}

TEST_CASE("contours: a disc and a ring") {
  const auto radius = sampled(61, [](double x, double y) { return std::hypot(x - 30, y - 30); });
  std::vector<double> ring;
  for (const double r : radius) ring.push_back(5 - std::abs(r - 15));  // 10 <= r <= 20 where it is positive
  const auto outlines = region_outlines(ring, 61, 61, 0);
  CHECK(outlines.size() == 2);
  CHECK(area(outlines) == doctest::Approx(3.14159265 * (400 - 100)).epsilon(0.01));
  for (const Outline& outline : outlines)
    for (const auto& [x, y] : simplified(outline, 0.05)) {
      const double r = std::hypot(x - 30, y - 30);
      CHECK(std::min(std::abs(r - 10), std::abs(r - 20)) < 0.1);
    }
}

TEST_CASE("contours: the regions hold exactly the points above the level") {
  for (int trial = 0; trial < 20; ++trial) {
    const Key key = Key(7).child(trial);
    const auto noise =
        sampled(9, [&](int x, int y) { return key.uniform(static_cast<std::uint64_t>(9 * y + x)); });
    const auto outlines = region_outlines(noise, 9, 9, 0.5);
    for (int y = 1; y < 8; ++y)
      for (int x = 1; x < 8; ++x)
        CHECK(covers(outlines, x + 1e-7, y + 1e-7) == (noise[static_cast<std::size_t>(9 * y + x)] >= 0.5));
  }
}

TEST_CASE("contours: the mean decides a saddle") {
  CHECK(region_outlines({1, 0, 0, 1}, 2, 2, 0.4).size() == 1);  // joined: the mean 0.5 is above
  CHECK(region_outlines({1, 0, 0, 1}, 2, 2, 0.6).size() == 2);
}
