// Spatter against recorded images.
#include "augment/corruptions/spatter.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

namespace {

std::vector<float> narrowed(const std::vector<double>& values) {
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("spatter: recorded images of 32 x 32, exactly") {
  Scratch scratch;
  for (const auto& golden : testing::golden_small("spatter")) {
    CAPTURE(golden.name);
    const SpatterConstants constants = spatter_constants(ParameterSet::cifar, golden.severity);
    Image out;
    spatter<double>(golden.input, golden.draws[0], constants, scratch, out);
    CHECK(out == golden.expected);
    std::vector<float> values(out.pixels.size());
    spatter_values<double>(golden.input, golden.draws[0], constants, scratch, values.data());
    for (std::size_t i = 0; i < golden.before_truncation.size(); ++i)
      REQUIRE(std::abs(values[i] - golden.before_truncation[i]) < 1e-4f);
    spatter<float>(golden.input, narrowed(golden.draws[0]), constants, scratch, out);
    CHECK(testing::difference(out, golden.expected).share == 0);
  }
}

TEST_CASE("spatter: recorded images of 224 x 224, exactly") {
  Scratch scratch;
  for (const auto& golden : testing::golden_large("spatter")) {
    CAPTURE(golden.name);
    const SpatterConstants constants = spatter_constants(ParameterSet::imagenet, golden.severity);
    Image out;
    spatter<double>(golden.input, golden.draws[0], constants, scratch, out);
    CHECK(testing::crop_of(out, 80, 64) == golden.expected);
    double sum = 0;
    for (const std::uint8_t v : out.pixels) sum += v;
    CHECK(sum / static_cast<double>(out.pixels.size()) ==
          doctest::Approx(golden.entry["mean_u8"].get<double>()).epsilon(1e-12));
    Image fast;
    spatter<float>(golden.input, narrowed(golden.draws[0]), constants, scratch, fast);
    CHECK(testing::difference(fast, out).share == 0);
  }
}

TEST_CASE("spatter: odd images, and the same bytes from the same key") {
  Scratch scratch;
  for (const int severity : {3, 5}) {
    const auto corruption = make_spatter(ParameterSet::cifar, severity);
    for (const auto& shape :
         {std::array{8, 8, 3}, std::array{17, 33, 3}, std::array{33, 17, 1}, std::array{32, 32, 1}}) {
      const int height = shape[0], width = shape[1], channels = shape[2];
      CAPTURE(height);
      const Image image = testing::random_image(height, width, channels, Key(4));
      Image a, b(5, 5, 1), c;
      corruption->apply(image, Key(1), scratch, a);
      corruption->apply(image, Key(1), scratch, b);
      corruption->apply(image, Key(7), scratch, c);
      CHECK(a == b);
      CHECK(a != c);
      CHECK(a.height == height);
      CHECK(a.channels == channels);
    }
  }
  CHECK_THROWS_AS(make_spatter(ParameterSet::cifar, 0), ConfigError);
  CHECK_THROWS_AS(make_spatter(ParameterSet::cifar, 6), ConfigError);
}

TEST_CASE("spatter: an empty layer leaves the image alone") {
  Scratch scratch;
  const Image image = testing::random_image(17, 33, 3, Key(4));
  const std::vector<float> layer(17 * 33, 0.5f);
  for (int severity = 1; severity <= 5; ++severity) {
    std::vector<float> values(image.pixels.size());
    spatter_values<float>(image, layer, spatter_constants(ParameterSet::cifar, severity), scratch,
                          values.data());
    for (std::size_t i = 0; i < values.size(); ++i)
      REQUIRE(std::abs(values[i] - static_cast<float>(image.pixels[i])) < 1e-4f);
  }
  Image out;
  CHECK_THROWS_AS(spatter<float>(Image(8, 8, 3), layer, kSpatterCifar[0], scratch, out), Error);
}

TEST_CASE("spatter: full mud is brown, and grey where the image is") {
  Scratch scratch;
  const std::vector<float> layer(32 * 32, 0.9f);
  Image rgb, grey;
  spatter<float>(Image(32, 32, 3), layer, kSpatterCifar[3], scratch, rgb);
  spatter<float>(Image(32, 32, 1), layer, kSpatterCifar[3], scratch, grey);
  CHECK(std::abs(rgb.pixels[0] - 63) <= 1);
  CHECK(std::abs(rgb.pixels[1] - 42) <= 1);
  CHECK(std::abs(rgb.pixels[2] - 20) <= 1);
  CHECK(std::abs(grey.pixels[5] - 45) <= 1);  // 0.299 * 63 + 0.587 * 42 + 0.114 * 20 = 45.8
}
