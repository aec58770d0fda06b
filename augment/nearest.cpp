// Geometry by the nearest pixel, and the square of cutout: operations of learned policies.
#include <algorithm>
#include <cmath>
#include <cstdint>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kFractionBits = 16;
constexpr double kLargestEntry = 1e9;  // keeps every sum below far inside 64 bits

/// 16.16 fixed point, rounded half up.
std::int64_t fixed(double value) {
  return static_cast<std::int64_t>(std::floor(value * (1 << kFractionBits) + 0.5));
}

template <int kChannels>
void sample_nearest(const Image& image, Image& out, const AffineMatrix& m) {
  const std::int64_t right_x = fixed(m[0]), down_x = fixed(m[1]), right_y = fixed(m[3]), down_y = fixed(m[4]);
  std::int64_t row_x = fixed(m[2] + m[0] * 0.5 + m[1] * 0.5), row_y = fixed(m[5] + m[3] * 0.5 + m[4] * 0.5);
  const auto width = static_cast<std::uint64_t>(image.width),
             height = static_cast<std::uint64_t>(image.height);
  const std::uint8_t* const source = image.pixels.data();
  std::uint8_t* to = out.pixels.data();
  for (int y = 0; y < image.height; ++y, row_x += down_x, row_y += down_y) {
    std::int64_t at_x = row_x, at_y = row_y;
    for (int x = 0; x < image.width; ++x, to += kChannels, at_x += right_x, at_y += right_y) {
      // Negative coordinates become huge: one comparison for both sides.
      const auto u = static_cast<std::uint64_t>(at_x >> kFractionBits),
                 v = static_cast<std::uint64_t>(at_y >> kFractionBits);
      const bool inside = u < width && v < height;
      const std::uint8_t* from = source + (inside ? (v * width + u) * kChannels : 0);
      for (int c = 0; c < kChannels; ++c) to[c] = inside ? from[c] : std::uint8_t{0};
    }
  }
}

}  // namespace

void affine_nearest(const Image& image, Image& out, const AffineMatrix& matrix) {
  for (const double entry : matrix)
    NM_CHECK(std::abs(entry) < kLargestEntry, "[affine_nearest] matrix entry ", entry,
             " must be finite and below ", kLargestEntry);
  set_shape_like(out, image);
  if (image.pixels.empty()) return;
  image.channels == 3 ? sample_nearest<3>(image, out, matrix) : sample_nearest<1>(image, out, matrix);
}

void rotate_nearest(const Image& image, Image& out, double degrees) {
  if (!rotate_by_quarters(image, out, degrees))
    affine_nearest(image, out, rotation_matrix(image.width, image.height, degrees));
}

void cutout(const Image& image, Image& out, double centre_x, double centre_y, double side) {
  NM_CHECK(std::isfinite(centre_x) && std::isfinite(centre_y) && std::isfinite(side),
           "[cutout] centre and side must be finite");
  static constexpr std::uint8_t kColor[3] = {125, 123, 114}, kGrey[1] = {123};
  out = image;
  if (side <= 0) return;
  // The first and the last painted pixel of an axis.
  struct Span {
    int first, last;
  };
  const auto span = [side](double centre, int size) {
    const double first = std::trunc(std::clamp(centre - side / 2, 0.0, static_cast<double>(size)));
    return Span{static_cast<int>(first), static_cast<int>(std::min(first + side, size - 1.0))};
  };
  const Span x = span(centre_x, image.width), y = span(centre_y, image.height);
  const std::uint8_t* color = image.channels == 3 ? kColor : kGrey;
  for (int row = y.first; row <= y.last; ++row)
    for (int column = x.first; column <= x.last; ++column)
      std::copy_n(color, image.channels, out.row(row) + column * image.channels);
}

}  // namespace noisymix
