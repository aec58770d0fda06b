// The fast geometric operations against the definition, pixel by pixel in double precision, on many random
// parameters: the bytes must agree, not only nearly.
#include <cmath>

#include "augment/image_ops.h"
#include "engine/cpu/cpu_features.h"
#include "tests/augment/images.h"
#include "tests/golden.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Image by_definition(const Image& image, const AffineMatrix& m) {
  Image out(image.height, image.width, image.channels);
  const auto pixel = [&](double column, double row, int c) {
    const int x = static_cast<int>(std::fmin(std::fmax(column, 0), image.width - 1));
    const int y = static_cast<int>(std::fmin(std::fmax(row, 0), image.height - 1));
    return static_cast<double>(image.row(y)[x * image.channels + c]);
  };
  for (int y = 0; y < out.height; ++y) {
    for (int x = 0; x < out.width; ++x) {
      double u = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], v = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5];
      if (u < 0 || u >= image.width || v < 0 || v >= image.height) continue;
      u -= 0.5;
      v -= 0.5;
      const double i = std::floor(u), j = std::floor(v), dx = u - i, dy = v - j;
      for (int c = 0; c < image.channels; ++c) {
        const double a = pixel(i, j, c), b = pixel(i + 1, j, c), d = pixel(i, j + 1, c),
                     e = pixel(i + 1, j + 1, c);
        const double upper = a + (b - a) * dx, lower = d + (e - d) * dx;
        out.row(y)[x * image.channels + c] = static_cast<std::uint8_t>(upper + (lower - upper) * dy);
      }
    }
  }
  return out;
}

/// Random images of several shapes and kinds with a random number in [0, 1), on every instruction set.
template <typename Check>
void for_many(int count, const Check& check) {
  const auto level = cpu::active_isa();
  const auto levels = cpu::usable_isas();
  for (int i = 0; i < count; ++i) {
    cpu::set_isa(levels[static_cast<std::size_t>(i) % levels.size()]);
    const Key key = Key(77).child(i);
    const int sizes[][2] = {{32, 32}, {32, 32}, {28, 28}, {17, 40}, {1, 1}, {3, 65}};
    const auto& size = sizes[i / 2 % 6];
    const int channels = i % 7 == 0 ? 1 : 3;
    check(i % 2 == 0 ? random_image(size[0], size[1], channels, key)
                     : smooth_image(size[0], size[1], channels, key),
          key.child("parameter").uniform(0));
  }
  cpu::set_isa(level);
}

}  // namespace

TEST_CASE("shears") {
  Image out;
  for_many(600, [&](const Image& image, double u) {
    const double factor = u - 0.5;
    shear_x(image, out, factor);
    REQUIRE(out == by_definition(image, {1, factor, 0, 0, 1, 0}));
    shear_y(image, out, factor);
    REQUIRE(out == by_definition(image, {1, 0, 0, factor, 1, 0}));
  });
}

TEST_CASE("shears by factors that hit half and whole pixels or whole grey levels") {
  Image out;
  for (const double factor :
       {0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.5, 1.0, 2.0, 0.015625, 1.0 / 3, 1e-12, 1e-7, 5.0, 1e9}) {
    for (const double sign : {1.0, -1.0}) {
      for (const Image& image : {random_image(32, 32, 3, Key(1)), smooth_image(32, 32, 3, Key(2))}) {
        shear_x(image, out, sign * factor);
        CHECK_MESSAGE(out == by_definition(image, {1, sign * factor, 0, 0, 1, 0}), "x by ", sign * factor);
        shear_y(image, out, sign * factor);
        CHECK_MESSAGE(out == by_definition(image, {1, 0, 0, sign * factor, 1, 0}), "y by ", sign * factor);
      }
    }
  }
}

TEST_CASE("rotations by any angle") {
  Image out;
  for_many(600, [&](const Image& image, double u) {
    const double degrees = 800 * u - 400;
    rotate(image, out, degrees);
    REQUIRE(out == by_definition(image, rotation_matrix(image.width, image.height, degrees)));
  });
}

TEST_CASE("rotations by every whole angle, and quarter turns") {
  const Image image = smooth_image(32, 32, 3, Key(5));
  Image out, back;
  for (int degrees = -180; degrees < 180; ++degrees) {
    if (degrees % 90 == 0) continue;
    rotate(image, out, degrees);
    REQUIRE(out == by_definition(image, rotation_matrix(32, 32, degrees)));
  }
  rotate(image, out, 90);
  rotate(out, back, 270);
  CHECK(back == image);
  rotate(image, out, -180);
  rotate(out, back, 540);
  CHECK(back == image);
  rotate(random_image(4, 6, 3, Key(1)), out, 90);  // not square: interpolated like any angle
  CHECK(out == by_definition(random_image(4, 6, 3, Key(1)), rotation_matrix(6, 4, 90)));
}

TEST_CASE("general maps, translations among them") {
  Image out;
  for_many(600, [&](const Image& image, double u) {
    const Key key(static_cast<std::uint64_t>(u * 1e9));
    AffineMatrix m;
    for (std::size_t i = 0; i < 6; ++i)
      m[i] = (i % 3 == 2 ? 8.0 : 1.5) * (key.uniform(i) - 0.5) + (i % 4 == 0 ? 1 : 0);
    affine(image, out, m);
    REQUIRE(out == by_definition(image, m));
    const int shift = static_cast<int>(80 * u) - 40;
    translate_x(image, out, shift);
    REQUIRE(out == by_definition(image, {1, 0, static_cast<double>(shift), 0, 1, 0}));
    translate_y(image, out, shift);
    REQUIRE(out == by_definition(image, {1, 0, 0, 0, 1, static_cast<double>(shift)}));
  });
  const Image image = random_image(8, 8, 3, Key(1));
  for (const double extreme : {1e300, HUGE_VAL, -1e18}) {
    affine(image, out, {extreme, 0, 0, 0, 1, 0});
    CHECK(out == by_definition(image, {extreme, 0, 0, 0, 1, 0}));
  }
}
