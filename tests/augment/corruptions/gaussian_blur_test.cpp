// gaussian_blur against the benchmark's own results.
#include "augment/corruptions/gaussian_blur.h"

#include <doctest/doctest.h>

#include <vector>

#include "engine/error.h"
#include "tests/augment/corruptions/golden_replay.h"

using namespace noisymix;

namespace {

testing::Agreement replay(const std::vector<testing::GoldenCorruption>& cases, ParameterSet set) {
  testing::Agreement agreement;
  Scratch scratch;
  for (const auto& golden : cases) {
    const auto& row = kGaussianBlur[static_cast<std::size_t>(set)][golden.severity - 1];
    std::vector<double> values(golden.input.pixels.size());
    gaussian_blur(golden.input, row, scratch, values.data());
    testing::compare_values<double>(golden, values, agreement);
    Image out;
    gaussian_blur(golden.input, row, scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("gaussian blur: recorded images") {
  const auto small = replay(testing::golden_small("gaussian_blur"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.largest < 1e-4);
  CHECK(small.levels <= 1);
  CHECK(small.share < 0.0004);
  const auto large = replay(testing::golden_large("gaussian_blur"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.largest < 1e-4);
  CHECK(large.levels <= 1);
  CHECK(large.share < 0.0004);
}

TEST_CASE("gaussian blur: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_gaussian_blur(set, severity); },
                          false, 0);
}

TEST_CASE("gaussian blur: a point becomes a bell") {
  Scratch scratch;
  Image image(9, 9, 1);
  image.row(4)[4] = 255;
  std::vector<double> values(81);
  gaussian_blur(image, 1, scratch, values.data());
  double total = 0;
  for (const double v : values) total += v;
  CHECK(total == doctest::Approx(255));
  CHECK(values[40] / values[41] == doctest::Approx(std::exp(0.5)));
  CHECK(values[40] / values[50] == doctest::Approx(std::exp(1.0)));
}
