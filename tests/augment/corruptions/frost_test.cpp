// Frost against recorded images.
#include "augment/corruptions/frost.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "augment/filters/bilinear_scale.h"
#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

namespace {

CorruptionOptions with_pictures(std::vector<Image> pictures) {
  CorruptionOptions options;
  options.frost_pictures = std::make_shared<const std::vector<Image>>(std::move(pictures));
  return options;
}

}  // namespace

TEST_CASE("frost: recorded images of 32 x 32, exactly") {
  const Safetensors draws = read_safetensors(testing::fixture_path("corruptions/cifar_c_draws.safetensors"));
  for (const auto& golden : testing::golden_small("frost")) {
    CAPTURE(golden.name);
    const FrostConstants constants = frost_constants(ParameterSet::cifar, golden.severity);
    const Image patch = testing::golden_image(draws.at(golden.entry["frost_patch"].get<std::string>()), -1);
    Image out;
    frost(golden.input, patch.pixels.data(), patch.stride(), constants, out);
    CHECK(out == golden.expected);
    std::vector<double> values(out.pixels.size());
    frost_values(golden.input, patch.pixels.data(), patch.stride(), constants, values.data());
    for (std::size_t i = 0; i < values.size(); ++i) {
      REQUIRE(static_cast<std::uint8_t>(values[i]) == out.pixels[i]);
      if (!golden.before_truncation.empty())
        REQUIRE(std::abs(values[i] - static_cast<double>(golden.before_truncation[i])) < 1e-4);
    }
  }
}

TEST_CASE("frost: recorded images of 224 x 224, exactly in the stored part") {
  const Safetensors stored = read_safetensors(testing::fixture_path("corruptions/imagenet_c.safetensors"));
  for (const auto& golden : testing::golden_large("frost")) {
    CAPTURE(golden.name);
    const Image patch =
        testing::golden_image(stored.at(golden.entry["frost_patch_crop"].get<std::string>()), -1);
    Image out;
    frost(testing::crop_of(golden.input, 80, 64), patch.pixels.data(), patch.stride(),
          frost_constants(ParameterSet::imagenet, golden.severity), out);
    CHECK(out == golden.expected);
  }
}

TEST_CASE("frost: the patch comes from the scaled picture, at the drawn place") {
  std::vector<Image> pictures;
  for (int i = 0; i < 6; ++i)
    pictures.push_back(testing::random_image(230 + 10 * i, 250, 3, Key(static_cast<std::uint64_t>(i))));
  const auto corruption = make_frost(ParameterSet::cifar, 2, with_pictures(pictures));
  std::vector<Image> scaled;
  for (const Image& picture : pictures) scaled.push_back(bilinear_scaled(picture, 0.2));
  const Image image = testing::random_image(32, 32, 3, Key(10));
  Scratch scratch;
  std::set<int> seen, rows, columns;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const FrostDraws draws = draw_frost(Key(seed), scaled, 32, 32);
    seen.insert(draws.picture);
    if (draws.picture == 0) rows.insert(draws.row);
    columns.insert(draws.column);
    const Image& picture = scaled[static_cast<std::size_t>(draws.picture)];
    REQUIRE(draws.row + 32 < picture.height);
    REQUIRE(draws.column + 32 < picture.width);
    Image out, expected;
    corruption->apply(image, Key(seed), scratch, out);
    frost(image, picture.row(draws.row) + 3 * draws.column, picture.stride(), {1, .3}, expected);
    REQUIRE(out == expected);
  }
  CHECK(seen == std::set<int>{0, 1, 2, 3, 4});  // never the sixth
  CHECK(rows.size() == 46 - 32);
  CHECK(columns.size() == 50 - 32);
}

TEST_CASE("frost: pictures that do not fit are an error with both sizes") {
  const auto corruption = make_frost(ParameterSet::cifar, 1, with_pictures({Image(160, 400, 3)}));
  Scratch scratch;
  Image out;
  try {
    corruption->apply(Image(32, 32, 3), Key(1), scratch, out);
    FAIL("accepted");
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    CAPTURE(text);
    CHECK(text.find("32 x 80") != std::string::npos);
    CHECK(text.find("32 x 32") != std::string::npos);
  }
  corruption->apply(Image(31, 32, 3), Key(1), scratch, out);
  CHECK(out.height == 31);
  CHECK_THROWS_AS(make_frost(ParameterSet::cifar, 0), ConfigError);
  CHECK_THROWS_AS(make_frost(ParameterSet::imagenet, 6), ConfigError);
}

TEST_CASE("frost: procedural ice, odd images, large images, and the same bytes from the same key") {
  Scratch scratch;
  const auto corruption = make_frost(ParameterSet::cifar, 4);
  for (const auto& shape :
       {std::array{8, 8, 3}, std::array{17, 33, 3}, std::array{33, 17, 1}, std::array{100, 300, 3}}) {
    const int height = shape[0], width = shape[1], channels = shape[2];
    CAPTURE(height);
    const Image image = testing::random_image(height, width, channels, Key(4));
    Image a, b(5, 5, 1), c;
    corruption->apply(image, Key(1), scratch, a);
    corruption->apply(image, Key(1), scratch, b);
    corruption->apply(image, Key(2), scratch, c);
    CHECK(a == b);
    CHECK(a != c);
    CHECK(a.height == height);
    CHECK(a.width == width);
    CHECK(a.channels == channels);
  }
}

TEST_CASE("frost: a grey image takes the grey of the picture") {
  Image picture(200, 200, 3);
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) picture.pixels[i] = 100;  // grey 29.9
  const auto corruption = make_frost(ParameterSet::imagenet, 1, with_pictures({picture}));
  Scratch scratch;
  Image out;
  corruption->apply(Image(32, 32, 1), Key(1), scratch, out);
  CHECK(std::count(out.pixels.begin(), out.pixels.end(), 12) == 32 * 32);  // 0.4 * 30
  Image grey_picture(200, 200, 1);
  std::fill(grey_picture.pixels.begin(), grey_picture.pixels.end(), std::uint8_t{50});
  make_frost(ParameterSet::imagenet, 1, with_pictures({grey_picture}))
      ->apply(Image(16, 16, 3), Key(1), scratch, out);
  CHECK(std::count(out.pixels.begin(), out.pixels.end(), 20) == 16 * 16 * 3);
}
