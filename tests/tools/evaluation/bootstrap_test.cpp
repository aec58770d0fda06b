#include "tools/evaluation/bootstrap.h"

#include <cmath>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace noisymix;

TEST_CASE("the interval of a mean is that of the normal approximation") {
  // 400 of 1000 ones: standard error sqrt(0.4 * 0.6 / 1000) = 0.01549, 1.96 of them 0.03036.
  std::vector<float> column(1000, 0.0f);
  for (std::size_t i = 0; i < 400; ++i) column[i] = 1;
  const std::vector<Interval> intervals = bootstrap_means({column}, {});
  CHECK(intervals[0].low == doctest::Approx(0.4 - 0.03036).epsilon(0.008));
  CHECK(intervals[0].high == doctest::Approx(0.4 + 0.03036).epsilon(0.008));
}

TEST_CASE("all columns see the same resamples") {
  std::vector<float> a(200), b(200), constant(200, -0.25f);
  for (std::size_t i = 0; i < a.size(); ++i) {
    a[i] = i % 3 == 0 ? 1.0f : 0.0f;
    b[i] = a[i] + 0.5f;
  }
  const std::vector<Interval> intervals = bootstrap_means({a, b, constant}, {});
  CHECK(intervals[1].low == doctest::Approx(intervals[0].low + 0.5).epsilon(1e-9));
  CHECK(intervals[1].high == doctest::Approx(intervals[0].high + 0.5).epsilon(1e-9));
  CHECK(intervals[2].low == -0.25);
  CHECK(intervals[2].high == -0.25);
}

TEST_CASE("the same seed gives the same interval, more coverage a wider one") {
  std::vector<float> column;
  for (int i = 0; i < 300; ++i) column.push_back(static_cast<float>(i % 7) / 7);
  BootstrapOptions options;
  const Interval first = bootstrap_means({column}, options)[0], again = bootstrap_means({column}, options)[0];
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  options.seed = 1;
  CHECK(bootstrap_means({column}, options)[0].low != first.low);
  options.seed = 0;
  options.coverage = 0.5;
  const Interval narrow = bootstrap_means({column}, options)[0];
  CHECK(narrow.low > first.low);
  CHECK(narrow.high < first.high);
}

TEST_CASE("odd input") {
  CHECK(bootstrap_means({}, {}).empty());
  CHECK(bootstrap_means({{}}, {})[0].high == 0);
  CHECK(bootstrap_means({{0.5f}}, {})[0].low == 0.5);
  CHECK_THROWS_AS(bootstrap_means({{1, 2}, {1}}, {}), ShapeError);
  CHECK_THROWS_AS(bootstrap_means({{2000.0f}}, {}), ShapeError);
  CHECK_THROWS_AS(bootstrap_means({{NAN}}, {}), ShapeError);
  CHECK_THROWS_AS(bootstrap_means({{1.0f}}, {1, 0.95, 0}), ShapeError);
}
