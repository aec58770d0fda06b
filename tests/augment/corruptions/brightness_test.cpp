// brightness: the benchmark's own bytes.
#include "augment/corruptions/brightness.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("brightness: recorded results") {
  Image out, made;
  Scratch scratch;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("brightness") : golden_large("brightness")) {
      CAPTURE(golden.name);
      std::vector<double> values(golden.input.pixels.size());
      brightness(golden.input, kBrightness[small ? 0 : 2][golden.severity - 1], out, values.data());
      CHECK((small ? out : crop_of(out, 80, 64)) == golden.expected);
      CHECK(distance_to_recorded(values, out, golden.before_truncation) < 1e-4);
      make_brightness(small ? ParameterSet::cifar : ParameterSet::imagenet, golden.severity)
          ->apply(golden.input, Key(1), scratch, made);
      CHECK(made == out);
    }
}

TEST_CASE("brightness: any shape and instruction set") {
  check_any_shape(make_brightness);
}

TEST_CASE("brightness: a grey image is its value, a colour keeps its ratios") {
  Image grey(16, 16, 1), colours(16, 16, 3), out;
  for (std::size_t i = 0; i < 256; ++i) {
    grey.pixels[i] = static_cast<std::uint8_t>(i);
    for (std::size_t c = 0; c < 3; ++c) colours.pixels[3 * i + c] = grey.pixels[i];
  }
  brightness(grey, 0.2, out);
  for (int i = 0; i < 255; ++i)  // a fifth of 255 is 51
    CHECK(std::abs(out.pixels[static_cast<std::size_t>(i)] - std::min(255, i + 51)) <= 1);
  const Image alone = out;
  brightness(colours, 0.2, out);
  for (std::size_t i = 0; i < out.pixels.size(); ++i) REQUIRE(out.pixels[i] == alone.pixels[i / 3]);

  const Image image = random_image(20, 20, 3, Key(6));
  std::vector<double> values(image.pixels.size());
  brightness(image, 0.3, out, values.data());
  for (std::size_t i = 0; i < values.size(); i += 3) {
    const double most = std::max({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
    const double scale = std::min(255.0, most + 76.5) / most;
    for (std::size_t c = i; c < i + 3; ++c) REQUIRE(std::abs(values[c] - image.pixels[c] * scale) < 1e-9);
  }
}
