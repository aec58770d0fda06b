// glass_blur against the benchmark's own results.
#include "augment/corruptions/glass_blur.h"

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
    const GlassRow& row = kGlassBlur[static_cast<std::size_t>(set)][golden.severity - 1];
    const std::size_t calls = glass_calls(golden.input.height, golden.input.width, row);
    CHECK(golden.entry["draws"][0]["calls"] == calls);
    std::vector<std::int8_t> shifts(2 * calls);
    if (golden.input.width == 32) {
      std::copy(golden.draws.at(0).begin(), golden.draws.at(0).end(), shifts.begin());
    } else {
      const auto stream = golden.entry["draws"][0]["stream"].get<std::uint32_t>();
      for (std::size_t i = 0; i < shifts.size(); ++i)
        shifts[i] = static_cast<std::int8_t>(
            -row.delta +
            std::floor(testing::golden_u01(stream, static_cast<std::uint32_t>(i)) * 2 * row.delta));
    }
    std::vector<double> values(golden.input.pixels.size());
    glass_blur(golden.input, shifts, row, false, scratch, values.data());
    testing::compare_values<double>(golden, values, agreement);
    Image out;
    glass_blur(golden.input, shifts, row, false, scratch, out);
    testing::compare_bytes(golden, out, agreement);
  }
  return agreement;
}

}  // namespace

TEST_CASE("glass blur: recorded images") {
  const auto small = replay(testing::golden_small("glass_blur"), ParameterSet::cifar);
  CHECK(small.cases >= 10);  // twice as many in the whole set of reference values
  CHECK(small.largest < 1e-4);
  CHECK(small.levels <= 1);
  CHECK(small.share < 0.004);
  const auto large = replay(testing::golden_large("glass_blur"), ParameterSet::imagenet);
  CHECK(large.cases >= 3);
  CHECK(large.largest < 1e-4);
  CHECK(large.levels <= 1);
  CHECK(large.share < 0.004);
}

TEST_CASE("glass blur: draws") {
  Scratch scratch;
  for (const int delta : {1, 2, 3, 4}) {
    const GlassRow row{1, delta, 3};
    const auto shifts = draw_glass(Key(1), 64, 48, row, scratch);
    REQUIRE(shifts.size() == std::size_t{6} * static_cast<std::size_t>((64 - 2 * delta) * (48 - 2 * delta)));
    std::vector<int> seen(static_cast<std::size_t>(2 * delta));
    for (const auto shift : shifts) ++seen.at(static_cast<std::size_t>(shift + delta));
    for (const int count : seen)
      CHECK(count * 2.0 * delta / static_cast<double>(shifts.size()) == doctest::Approx(1).epsilon(0.06));
  }
}

TEST_CASE("glass blur: copies or swaps") {
  Scratch scratch;
  const GlassRow row{0.05, 1, 1};  // too narrow to blur
  Image image(8, 8, 1), copied, swapped;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = static_cast<std::uint8_t>(3 * i);
  std::vector<std::int8_t> shifts(2 * glass_calls(8, 8, row), 0);
  shifts[0] = -1;  // pixel (7, 7) takes (7, 6)
  glass_blur(image, shifts, row, false, scratch, copied);
  glass_blur(image, shifts, row, true, scratch, swapped);
  Image expected = image;
  expected.row(7)[7] = image.row(7)[6];
  CHECK(copied == expected);
  expected.row(7)[6] = image.row(7)[7];
  CHECK(swapped == expected);
  CHECK_THROWS_AS(glass_blur(image, std::span(shifts).first(3), row, false, scratch, copied), ShapeError);
  shifts[1] = 1;
  CHECK_THROWS_AS(glass_blur(image, shifts, row, false, scratch, copied), ShapeError);
  // A swap keeps every pixel.
  shifts[1] = 0;
  const auto drawn = draw_glass(Key(3), 8, 8, row, scratch);
  glass_blur(image, drawn, row, true, scratch, swapped);
  CHECK(swapped != image);
  std::sort(swapped.pixels.begin(), swapped.pixels.end());
  CHECK(swapped == image);
  make_glass_blur(ParameterSet::cifar, 1, true)->apply(image, Key(3), scratch, copied);
  std::sort(copied.pixels.begin(), copied.pixels.end());
  CHECK(copied == image);
}

TEST_CASE("glass blur: shapes, keys and severities") {
  testing::check_contract([](ParameterSet set, int severity) { return make_glass_blur(set, severity); }, true,
                          0);
}
