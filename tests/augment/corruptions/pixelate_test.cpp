// pixelate against the benchmark's own results, which are bytes: equal ones.
#include "augment/corruptions/pixelate.h"

#include <doctest/doctest.h>

#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

using namespace noisymix;

TEST_CASE("pixelate: recorded results") {
  Scratch scratch;
  Image out;
  for (const auto& golden : testing::golden_small("pixelate")) {
    CAPTURE(golden.name);
    make_pixelate(ParameterSet::cifar, golden.severity)->apply(golden.input, Key(1), scratch, out);
    CHECK(out == golden.expected);
  }
  for (const auto& golden : testing::golden_large("pixelate")) {
    CAPTURE(golden.name);
    make_pixelate(ParameterSet::imagenet, golden.severity)->apply(golden.input, Key(1), scratch, out);
    CHECK(testing::crop_of(out, 80, 64) == golden.expected);
  }
}

TEST_CASE("pixelate: any shape, and severities in order") {
  Scratch scratch;
  Image out;
  for (const ParameterSet set : {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet})
    for (int channels : {1, 3})
      for (const auto& [height, width] : {std::pair{8, 8}, std::pair{17, 33}, std::pair{40, 24}}) {
        const Image image = testing::random_image(height, width, channels, Key(7));
        double first = 0, last = 0;
        for (int severity = 1; severity <= kSeverities; ++severity) {
          make_pixelate(set, severity)->apply(image, Key(1), scratch, out);
          REQUIRE(out.height == height);
          REQUIRE(out.width == width);
          REQUIRE(out.channels == channels);
          double distance = 0;
          for (std::size_t i = 0; i < out.pixels.size(); ++i)
            distance += std::abs(int{out.pixels[i]} - int{image.pixels[i]});
          (severity == 1 ? first : last) = distance;
        }
        CHECK(first > 0);
        CHECK(last > first);
      }
  CHECK_THROWS(make_pixelate(ParameterSet::cifar, 0));
  CHECK_THROWS(make_pixelate(ParameterSet::cifar, 6));
}
