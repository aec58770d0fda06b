// Bilinear affine maps in exact double precision, and rotation.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>

#include "augment/bilinear_rgb.h"
#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

int clamp_index(int i, int size) {
  return i < 0 ? 0 : (i >= size ? size - 1 : i);
}

double round_to_15_decimals(double v) {
  std::array<char, 32> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed, 15);
  std::from_chars(text.data(), written.ptr, v);
  return v;
}

struct CosSin {
  double cos, sin;
};

CosSin rounded_cos_sin(double degrees) {
  const double angle = -(degrees * (std::numbers::pi / 180));
  return {round_to_15_decimals(std::cos(angle)), round_to_15_decimals(std::sin(angle))};
}

/// The same for a whole number of degrees, 0..359, from a table: AugMix knows no others.
const CosSin& rounded_cos_sin_of_whole(int degrees) {
  static const auto table = [] {
    std::array<CosSin, 360> values;
    for (int i = 0; i < 360; ++i) values[static_cast<std::size_t>(i)] = rounded_cos_sin(i);
    return values;
  }();
  return table[static_cast<std::size_t>(degrees)];
}

/// The angle in [0, 360).
double reduced(double degrees) {
  const double rest = std::fmod(degrees, 360.0);
  return rest < 0 ? rest + 360.0 : rest;
}

/// Quarter turns counter-clockwise, without interpolation; 1 and 3 need a square image.
void turn(const Image& image, Image& out, int quarters) {
  set_shape_like(out, image);
  const auto channels = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int from_y = quarters == 1 ? x : quarters == 2 ? image.height - 1 - y : image.width - 1 - x;
      const int from_x = quarters == 1 ? image.width - 1 - y : quarters == 2 ? image.width - 1 - x : y;
      std::memcpy(out.row(y) + static_cast<std::size_t>(x) * channels,
                  image.row(from_y) + static_cast<std::size_t>(from_x) * channels, channels);
    }
  }
}

}  // namespace

void affine_row_exact(const Image& image, Image& out, const AffineMatrix& matrix, int y, int begin, int end) {
  const int channels = image.channels;
  for (int x = begin; x < end; ++x) {
    std::uint8_t* to = out.row(y) + x * channels;
    const double u = matrix[0] * (x + 0.5) + matrix[1] * (y + 0.5) + matrix[2];
    const double v = matrix[3] * (x + 0.5) + matrix[4] * (y + 0.5) + matrix[5];
    if (!(u >= 0 && u < image.width && v >= 0 && v < image.height)) {
      std::fill(to, to + channels, std::uint8_t{0});
      continue;
    }
    const int i = static_cast<int>(std::floor(u - 0.5)), j = static_cast<int>(std::floor(v - 0.5));
    const double dx = u - 0.5 - i, dy = v - 0.5 - j;
    const std::uint8_t* upper = image.row(clamp_index(j, image.height));
    const std::uint8_t* lower = image.row(clamp_index(j + 1, image.height));
    const int left = clamp_index(i, image.width) * channels,
              right = clamp_index(i + 1, image.width) * channels;
    for (int c = 0; c < channels; ++c) {
      const double top = upper[left + c] + (upper[right + c] - upper[left + c]) * dx;
      const double bottom = lower[left + c] + (lower[right + c] - lower[left + c]) * dx;
      to[c] = static_cast<std::uint8_t>(top + (bottom - top) * dy);
    }
  }
}

void affine(const Image& image, Image& out, const AffineMatrix& matrix) {
  set_shape_like(out, image);
  if (is_bilinear_rgb(image, matrix)) return bilinear_rgb(image, out, matrix);
  for (int y = 0; y < image.height; ++y) affine_row_exact(image, out, matrix, y, 0, image.width);
}

AffineMatrix rotation_matrix(int width, int height, double degrees) {
  const double angle = reduced(degrees);
  const CosSin cs =
      angle == std::floor(angle) ? rounded_cos_sin_of_whole(static_cast<int>(angle)) : rounded_cos_sin(angle);
  const double centre_x = width / 2.0, centre_y = height / 2.0;
  AffineMatrix m{cs.cos, cs.sin, 0, -cs.sin, cs.cos, 0};
  m[2] = m[0] * -centre_x + m[1] * -centre_y + centre_x;
  m[5] = m[3] * -centre_x + m[4] * -centre_y + centre_y;
  return m;
}

bool rotate_by_quarters(const Image& image, Image& out, double degrees) {
  NM_CHECK(std::isfinite(degrees), "[rotate] the angle must be finite");
  const double angle = reduced(degrees);
  if (angle == 0) {
    out = image;
  } else if (angle == 180) {
    turn(image, out, 2);
  } else if ((angle == 90 || angle == 270) && image.width == image.height) {
    turn(image, out, angle == 90 ? 1 : 3);
  } else {
    return false;
  }
  return true;
}

void rotate(const Image& image, Image& out, double degrees) {
  if (!rotate_by_quarters(image, out, degrees))
    affine(image, out, rotation_matrix(image.width, image.height, degrees));
}

}  // namespace noisymix
