// Fog against recorded images.
#include "augment/corruptions/fog.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "augment/filters/plasma.h"
#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

namespace {

/// Amplitude times draw, for all draws in call order.
std::vector<double> recorded_amounts(const testing::GoldenCorruption& golden) {
  std::vector<double> amounts;
  for (std::size_t j = 0; j < golden.draws.size(); ++j) {
    const double amplitude = golden.entry["draws"][j]["high"];
    for (const double draw : golden.draws[j]) amounts.push_back(amplitude * draw);
  }
  return amounts;
}

Image truncated(const Image& like, const std::vector<double>& values) {
  Image image(like.height, like.width, like.channels);
  std::transform(values.begin(), values.end(), image.pixels.begin(),
                 [](double v) { return static_cast<std::uint8_t>(v); });
  return image;
}

}  // namespace

TEST_CASE("fog: recorded images of 32 x 32, exactly in double") {
  Scratch scratch;
  double differing = 0;
  const auto cases = testing::golden_small("fog");
  for (const auto& golden : cases) {
    CAPTURE(golden.name);
    const FogConstants constants = fog_constants(ParameterSet::cifar, golden.severity);
    const auto amounts = recorded_amounts(golden);
    std::vector<double> values(golden.input.pixels.size());
    fog_values(golden.input, amounts, 32, constants, scratch, values.data());
    CHECK(truncated(golden.input, values) == golden.expected);
    for (std::size_t i = 0; i < golden.before_truncation.size(); ++i)
      REQUIRE(std::abs(values[i] - static_cast<double>(golden.before_truncation[i])) < 1e-5);
    Image out;
    fog(golden.input, std::vector<float>(amounts.begin(), amounts.end()), 32, constants, scratch, out);
    const auto difference = testing::difference(out, golden.expected);
    CHECK(difference.largest <= 1);
    differing += difference.share / static_cast<double>(cases.size());
  }
  CHECK(differing < 2e-4);
}

TEST_CASE("fog: recorded images of 224 x 224, exactly in double") {
  Scratch scratch;
  for (const auto& golden : testing::golden_large("fog")) {
    CAPTURE(golden.name);
    const FogConstants constants = fog_constants(ParameterSet::imagenet, golden.severity);
    const auto amounts = recorded_amounts(golden);
    std::vector<double> values(golden.input.pixels.size());
    fog_values(golden.input, amounts, fog_grid_side(ParameterSet::imagenet, 224, 224), constants, scratch,
               values.data());
    const Image exact = truncated(golden.input, values);
    CHECK(testing::crop_of(exact, 80, 64) == golden.expected);
    double sum = 0;
    for (const std::uint8_t v : exact.pixels) sum += v;
    CHECK(sum / static_cast<double>(exact.pixels.size()) ==
          doctest::Approx(golden.entry["mean_u8"].get<double>()).epsilon(1e-12));
    Image out;
    fog(golden.input, std::vector<float>(amounts.begin(), amounts.end()), 256, constants, scratch, out);
    const auto difference = testing::difference(out, exact);
    CHECK(difference.largest <= 1);
    CHECK(difference.share < 2e-4);
  }
}

TEST_CASE("fog: grids that cover the image") {
  CHECK(fog_grid_side(ParameterSet::cifar, 32, 32) == 32);
  CHECK(fog_grid_side(ParameterSet::cifar, 17, 33) == 64);
  CHECK(fog_grid_side(ParameterSet::tiny_imagenet, 8, 8) == 64);
  CHECK(fog_grid_side(ParameterSet::imagenet, 224, 224) == 256);
  CHECK(fog_grid_side(ParameterSet::imagenet, 100, 257) == 512);
}

TEST_CASE("fog: odd images, and the same bytes from the same key") {
  Scratch scratch;
  for (const auto set : {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet}) {
    for (const auto [height, width, channels] :
         {std::array{8, 8, 3}, std::array{17, 33, 3}, std::array{33, 17, 1}, std::array{32, 32, 1}}) {
      const Image image = testing::random_image(height, width, channels, Key(4));
      const auto corruption = make_fog(set, 3);
      Image a, b(5, 5, 1), c;
      corruption->apply(image, Key(1), scratch, a);
      corruption->apply(image, Key(1), scratch, b);
      corruption->apply(image, Key(2), scratch, c);
      CHECK(a == b);
      CHECK(a != c);
      CHECK(a.height == height);
      CHECK(a.channels == channels);
      CHECK(*std::max_element(a.pixels.begin(), a.pixels.end()) <=
            *std::max_element(image.pixels.begin(), image.pixels.end()));
    }
  }
  const Image black(32, 32, 3);
  Image out;
  make_fog(ParameterSet::cifar, 5)->apply(black, Key(1), scratch, out);
  CHECK(out == black);
  CHECK_THROWS_AS(make_fog(ParameterSet::cifar, 0), ConfigError);
  CHECK_THROWS_AS(make_fog(ParameterSet::cifar, 6), ConfigError);
}

TEST_CASE("fog: a grey image is fogged like an RGB one of the same grey") {
  Scratch scratch;
  const Image grey = testing::random_image(32, 32, 1, Key(9));
  Image rgb(32, 32, 3), out_grey, out_rgb;
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels[i] = grey.pixels[i / 3];
  const auto corruption = make_fog(ParameterSet::cifar, 4);
  corruption->apply(grey, Key(1), scratch, out_grey);
  corruption->apply(rgb, Key(1), scratch, out_rgb);
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) REQUIRE(out_rgb.pixels[i] == out_grey.pixels[i / 3]);
}
