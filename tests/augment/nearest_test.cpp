// Geometry by the nearest pixel against the definition in double precision; reference bytes of rotations are
// in image_ops_test.cpp.
#include <doctest/doctest.h>

#include <cmath>

#include "augment/image_ops.h"
#include "engine/error.h"
#include "tests/augment/images.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Pixels of `out` that differ from floor() of the mapped centre, those within `margin` of a pixel's edge
/// excepted.
int wrong_pixels(const Image& image, const Image& out, const AffineMatrix& m, double margin, int& compared) {
  int wrong = 0;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const double u = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2],
                   v = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      if (std::abs(u - std::round(u)) < margin || std::abs(v - std::round(v)) < margin) continue;
      ++compared;
      const bool inside = u >= 0 && v >= 0 && u < image.width && v < image.height;
      for (int c = 0; c < image.channels; ++c) {
        const int want =
            inside ? image.row(static_cast<int>(v))[static_cast<int>(u) * image.channels + c] : 0;
        wrong += out.row(y)[x * image.channels + c] != want;
      }
    }
  return wrong;
}

}  // namespace

TEST_CASE("nearest: affine maps follow their definition, off the edges of pixels") {
  for (const int channels : {1, 3}) {
    const Image image = random_image(21, 34, channels, Key(1));
    Image out;
    int compared = 0;
    for (int i = 0; i < 60; ++i) {
      AffineMatrix m;
      for (std::size_t k = 0; k < 6; ++k) m[k] = 3 * Key(static_cast<std::uint64_t>(i)).uniform(k) - 1.5;
      m[2] *= 20;
      m[5] *= 20;
      affine_nearest(image, out, m);
      CHECK(wrong_pixels(image, out, m, 1e-3, compared) == 0);
    }
    CHECK(compared > 60 * 21 * 34 * 9 / 10);
  }
}

TEST_CASE("nearest: rotations use the matrix of rotate(), quarter turns are exact") {
  const Image image = random_image(32, 32, 3, Key(2));
  Image out, other;
  int compared = 0;
  for (const double degrees : {-29.5, -2.0, 0.3, 11.0, 45.0, 100.0}) {
    rotate_nearest(image, out, degrees);
    CHECK(wrong_pixels(image, out, rotation_matrix(32, 32, degrees), 1e-3, compared) == 0);
  }
  for (const double degrees : {0.0, 90.0, 180.0, -90.0, 360.0}) {
    rotate_nearest(image, out, degrees);
    rotate(image, other, degrees);
    CHECK(out == other);
  }
  affine_nearest(image, out, {1, 0, 0, 0, 1, 0});
  CHECK(out == image);
  affine_nearest(image, out, {1, 0, 5, 0, 1, -3});
  translate_x(image, other, 5);
  Image both;
  translate_y(other, both, -3);
  CHECK(out == both);
}

TEST_CASE("nearest: matrices out of range are refused, empty images pass") {
  Image out;
  CHECK_THROWS_AS(affine_nearest(Image(4, 4, 3), out, {1, 0, NAN, 0, 1, 0}), ShapeError);
  CHECK_THROWS_AS(affine_nearest(Image(4, 4, 3), out, {1, 0, 0, 1e12, 1, 0}), ShapeError);
  CHECK_THROWS_AS(rotate_nearest(Image(4, 4, 3), out, INFINITY), ShapeError);
  affine_nearest(Image(0, 0, 3), out, {1, 0.5, 0, 0, 1, 0});
  CHECK(out.pixels.empty());
}

TEST_CASE("cutout paints a square, cut off at the border") {
  const Image image(10, 12, 3);
  Image out;
  const auto painted = [&](double x, double y, double side) {
    cutout(image, out, x, y, side);
    int count = 0;
    for (std::size_t i = 0; i < out.pixels.size(); i += 3) {
      if (out.pixels[i] == 0) continue;
      CHECK(out.pixels[i] == 125);
      CHECK(out.pixels[i + 1] == 123);
      CHECK(out.pixels[i + 2] == 114);
      ++count;
    }
    return count;
  };
  CHECK(painted(5, 5, 0) == 0);
  CHECK(painted(5, 5, -1) == 0);
  CHECK(painted(6, 5, 2) == 9);  // 5..7 and 4..6: both ends
  CHECK(out.row(4)[3 * 5] == 125);
  CHECK(out.row(6)[3 * 7] == 125);
  CHECK(out.row(3)[3 * 5] == 0);
  CHECK(out.row(7)[3 * 7] == 0);
  CHECK(painted(6, 5, 2.9) == 9);     // from 4.55 -> 4 to 6.9, from 3.55 -> 3 to 5.9
  CHECK(painted(0, 0, 2) == 9);       // the corner is moved to 0
  CHECK(painted(11.9, 9.9, 4) == 9);  // from 9.9 -> 9 to 11, from 7.9 -> 7 to 9
  const Image grey(4, 4, 1);
  cutout(grey, out, 2, 2, 10);
  CHECK(out.pixels == std::vector<std::uint8_t>(16, 123));
}
