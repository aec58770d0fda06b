// contrast: the benchmark's own bytes.
#include "augment/corruptions/contrast.h"

#include "tests/augment/corruptions/elementwise.h"
#include "tests/augment/corruptions/golden_case.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("contrast: recorded results") {
  Image out, made;
  Scratch scratch;
  for (const bool small : {true, false})
    for (const auto& golden : small ? golden_small("contrast") : golden_large("contrast")) {
      CAPTURE(golden.name);
      std::vector<double> values(golden.input.pixels.size());
      contrast(golden.input, kContrast[small ? 0 : 2][golden.severity - 1], out, values.data());
      CHECK((small ? out : crop_of(out, 80, 64)) == golden.expected);
      CHECK(distance_to_recorded(values, out, golden.before_truncation) < 1e-4);
      make_contrast(small ? ParameterSet::cifar : ParameterSet::imagenet, golden.severity)
          ->apply(golden.input, Key(1), scratch, made);
      CHECK(made == out);
    }
}

TEST_CASE("contrast: means, channel by channel") {
  for (const int channels : {1, 3})
    for (const auto& [height, width] : {std::pair{8, 8}, std::pair{17, 33}, std::pair{300, 260}}) {
      const Image image = smooth_image(height, width, channels, Key(4));
      const auto count = static_cast<std::size_t>(channels);
      Image out;
      contrast(image, 0.3, out);
      for (std::size_t c = 0; c < count; ++c) {
        double mean = 0;
        for (std::size_t i = c; i < image.pixels.size(); i += count) mean += image.pixels[i];
        mean /= height * width;
        int wrong = 0;
        for (std::size_t i = c; i < image.pixels.size(); i += count) {
          const double value = mean + 0.3 * (image.pixels[i] - mean);
          if (std::abs(value - std::round(value)) < 1e-9) continue;  // either side of a whole number
          wrong += out.pixels[i] != static_cast<int>(value);
        }
        CHECK(wrong == 0);
      }
    }
}

TEST_CASE("contrast: any shape and instruction set") {
  check_any_shape(make_contrast);
}
