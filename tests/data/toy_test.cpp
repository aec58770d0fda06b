// Facts about the toy distributions.
#include "data/toy.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "engine/error.h"
#include "engine/key.h"

using namespace noisymix;

TEST_CASE("circles: sizes, balance, radii and noise") {
  const auto train = make_circles(1, true), test = make_circles(1, false);
  CHECK(train->size() == 300);
  CHECK(test->size() == 200);
  CHECK(train->sample_shape() == std::vector<std::int64_t>{2});
  CHECK(train->classes() == 2);
  std::int64_t inner = 0;
  for (const auto& part : {train, test})
    for (std::int64_t i = 0; i < part->size(); ++i) inner += part->get(i).label;
  CHECK(inner == 250);

  // E |x|^2 = r^2 + 2 * 0.3^2.
  const auto many = make_circles(2, true, 100'000);
  double squares[2] = {0, 0}, counts[2] = {0, 0};
  for (std::int64_t i = 0; i < many->size(); ++i) {
    const Example e = many->get(i);
    squares[e.label] += e.features[0] * e.features[0] + e.features[1] * e.features[1];
    counts[e.label] += 1;
  }
  CHECK(squares[0] / counts[0] == doctest::Approx(1.18).epsilon(0.01));
  CHECK(squares[1] / counts[1] == doctest::Approx(0.1825).epsilon(0.02));
}

TEST_CASE("circles: the two parts come from one shuffled set") {
  const auto train = make_circles(3, true), test = make_circles(3, false), other = make_circles(4, true);
  std::set<std::pair<float, float>> points;
  for (const auto& part : {train, test})
    for (std::int64_t i = 0; i < part->size(); ++i)
      points.insert({part->get(i).features[0], part->get(i).features[1]});
  CHECK(points.size() == 500);
  CHECK(make_circles(3, true)->get(7).features == train->get(7).features);
  CHECK(other->get(7).features != train->get(7).features);
}

TEST_CASE("polygon: signed distance") {
  CHECK(polygon_distance(0, -0.7) > 0.2);                         // in the crescent's belly
  CHECK(polygon_distance(-0.1, 0) == doctest::Approx(-0.20648));  // in its opening
  CHECK(polygon_distance(5, 5) < -4);
  for (const auto& corner : polygon_corners())
    CHECK(std::abs(polygon_distance(corner[0], corner[1])) < 1e-12);
}

TEST_CASE("polygon: a fifth of the points is inside, one in seven is in the band") {
  const auto train = make_polygon(0, true), test = make_polygon(0, false);
  CHECK(train->size() == 250);
  CHECK(test->size() == 250);
  const auto many = make_polygon(5, true, 200'000);
  double inside = 0, x = 0, xx = 0;
  const auto n = static_cast<double>(many->size());
  for (std::int64_t i = 0; i < many->size(); ++i) {
    const Example e = many->get(i);
    inside += static_cast<double>(e.label);
    x += e.features[0];
    xx += e.features[0] * e.features[0];
  }
  CHECK(inside / n == doctest::Approx(0.22).epsilon(0.05));
  CHECK(x / n == doctest::Approx(0).scale(1).epsilon(0.02));
  CHECK(xx / n == doctest::Approx(1.04).epsilon(0.02));

  Draws draws{Key(1)};
  int band = 0;
  for (int i = 0; i < 100'000; ++i) {
    const double u = draws.normal(), v = draws.normal();
    band += std::abs(polygon_distance(u, v)) <= 0.1;
  }
  CHECK(band / 100'000.0 == doctest::Approx(0.15).epsilon(0.07));
}

TEST_CASE("toy sets: bad count") {
  CHECK_THROWS_AS(make_circles(0, true, -1), ConfigError);
  CHECK_THROWS_AS(make_polygon(0, true, -1), ConfigError);
}
