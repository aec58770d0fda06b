// saturate: the benchmark's own bytes.
#include "augment/corruptions/saturate.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("saturate: recorded results") {
  Image out, made;
  Scratch scratch;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("saturate") : golden_large("saturate")) {
      CAPTURE(golden.name);
      std::vector<double> values(golden.input.pixels.size());
      saturate(golden.input, kSaturate[small ? 0 : 2][golden.severity - 1], out, values.data());
      CHECK((small ? out : crop_of(out, 80, 64)) == golden.expected);
      CHECK(distance_to_recorded(values, out, golden.before_truncation) < 1e-4);
      make_saturate(small ? ParameterSet::cifar : ParameterSet::imagenet, golden.severity)
          ->apply(golden.input, Key(1), scratch, made);
      CHECK(made == out);
    }
}

TEST_CASE("saturate: any shape and instruction set") {
  check_any_shape(make_saturate);
}

TEST_CASE("saturate: grey images stay, distances to the value scale") {
  Image out;
  const Image grey = random_image(9, 11, 1, Key(1));
  saturate(grey, {30, 0.2}, out);
  CHECK(out == grey);
  const Image image = random_image(20, 20, 3, Key(6));
  std::vector<double> values(image.pixels.size());
  saturate(image, {2, 0.1}, out, values.data());
  for (std::size_t i = 0; i < values.size(); i += 3) {
    const double most = std::max({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
    const double least = std::min({image.pixels[i], image.pixels[i + 1], image.pixels[i + 2]});
    if (least == most) continue;
    const double s = (most - least) / most, scale = std::min(1.0, 2 * s + 0.1) / s;
    for (std::size_t c = i; c < i + 3; ++c)
      REQUIRE(std::abs(values[c] - (most - (most - image.pixels[c]) * scale)) < 1e-9);
  }
  Image tinted(8, 8, 3);  // a grey pixel has hue 0, so an offset makes it reddish
  std::fill(tinted.pixels.begin(), tinted.pixels.end(), std::uint8_t{100});
  saturate(tinted, {2, 0.1}, out);
  CHECK(out.pixels[0] == 100);
  CHECK(out.pixels[1] < 95);
  CHECK(out.pixels[1] == out.pixels[2]);
}
