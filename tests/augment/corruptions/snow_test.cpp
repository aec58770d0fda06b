// snow against the benchmark's own results.
#include "augment/corruptions/snow.h"

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
    const SnowRow& row = kSnow[static_cast<std::size_t>(set)][golden.severity - 1];
    const SnowDraws draws{golden.draws.at(0), golden.draws.at(1).at(0)};
    std::vector<double> values(golden.input.pixels.size());
    snow(golden.input, draws, row, scratch, values.data());
    testing::compare_values<double>(golden, values, agreement);
    Image out;
    snow(golden.input, draws, row, scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("snow: recorded images") {
  const auto small = replay(testing::golden_small("snow"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.largest < 1e-4);
  CHECK(small.levels <= 1);
  CHECK(small.share < 0.0004);
  const auto large = replay(testing::golden_large("snow"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.largest < 1e-4);
  CHECK(large.levels <= 1);
  CHECK(large.share < 0.0004);
}

TEST_CASE("snow: recorded grey values") {
  const Safetensors file = read_safetensors(testing::fixture_path("corruptions/substeps.safetensors"));
  const auto image = testing::as_doubles(file.at("img_f32")),
             grey = testing::as_doubles(file.at("rgb2gray_cv"));
  float largest = 0;
  for (std::size_t i = 0; i < grey.size(); ++i) {
    const auto at = [&](std::size_t c) { return static_cast<float>(image[3 * i + c]); };
    largest = std::max(largest, std::abs(snow_grey(at(0), at(1), at(2)) - static_cast<float>(grey[i])));
  }
  CHECK(largest < 1e-7f);
}

TEST_CASE("snow: draws") {
  Scratch scratch;
  const SnowRow row{.3, .2, 1, .6, 8, 3, .95};
  const SnowDraws draws = draw_snow(Key(1), 50, 60, row, scratch);
  REQUIRE(draws.layer.size() == 3000);
  double sum = 0, squares = 0, low = 0, high = -180;
  for (const double v : draws.layer) {
    sum += v;
    squares += (v - .3) * (v - .3);
  }
  CHECK(std::abs(sum / 3000 - .3) < .015);
  CHECK(std::abs(squares / 3000 - .04) < .004);
  for (std::int64_t i = 0; i < 500; ++i) {
    const double degrees = draw_snow(Key(2).child(i), 8, 8, row, scratch).degrees;
    low = std::min(low, degrees);
    high = std::max(high, degrees);
  }
  CHECK(low >= -135);
  CHECK(low < -133);
  CHECK(high < -45);
  CHECK(high > -47);
  Image image(8, 8, 3), out;
  CHECK_THROWS_AS(snow(image, {draws.layer.first(10), -90}, row, scratch, out), ShapeError);
}

TEST_CASE("snow: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_snow(set, severity); }, true, 1);
}
