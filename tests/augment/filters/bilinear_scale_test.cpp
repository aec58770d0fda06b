// Resizing without smoothing.
#include "augment/filters/bilinear_scale.h"

#include <doctest/doctest.h>

#include <cstdlib>

#include "tests/golden.h"

using namespace noisymix;

TEST_CASE("bilinear scale: a fifth picks pixels") {
  Image image(60, 90, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(testing::golden_hash32(2, static_cast<std::uint32_t>(i)));
  const Image small = bilinear_scaled(image, 0.2);
  REQUIRE(small.height == 12);
  REQUIRE(small.width == 18);
  for (int y = 0; y < 12; ++y)
    for (int x = 0; x < 18; ++x)
      for (int c = 0; c < 3; ++c) CHECK(small.row(y)[3 * x + c] == image.row(5 * y + 2)[3 * (5 * x + 2) + c]);
  CHECK(bilinear_scaled(image, 1) == image);
}

TEST_CASE("bilinear scale: a plane stays one; sides round half to even") {
  Image plane(50, 70, 1);
  for (int y = 0; y < 50; ++y)
    for (int x = 0; x < 70; ++x) plane.row(y)[x] = static_cast<std::uint8_t>(2 * y + x);
  const Image small = bilinear_scaled(plane, 0.3);
  REQUIRE(small.height == 15);
  REQUIRE(small.width == 21);
  for (int y = 0; y < 15; ++y) {
    for (int x = 0; x < 21; ++x) {
      const double exact = 2 * ((y + 0.5) / 0.3 - 0.5) + (x + 0.5) / 0.3 - 0.5;
      CHECK(std::abs(small.row(y)[x] - exact) < 0.501);
    }
  }
  CHECK(bilinear_scaled(Image(25, 35, 1), 0.5).height == 12);
  CHECK(bilinear_scaled(Image(25, 35, 1), 0.5).width == 18);
  CHECK(bilinear_scaled(Image(2, 2, 1), 0.1).height == 1);
  const Image larger = bilinear_scaled(plane, 2);
  CHECK(larger.row(0)[0] == plane.row(0)[0]);
  CHECK(larger.row(99)[139] == plane.row(49)[69]);
}
