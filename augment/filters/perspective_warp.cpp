#include "augment/filters/perspective_warp.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Matrix = std::array<double, 9>;

/// By cofactors, each times 1 / determinant: the order of roundings that OpenCV has.
Matrix inverse(const Matrix& m) {
  const double determinant = m[0] * (m[4] * m[8] - m[5] * m[7]) - m[1] * (m[3] * m[8] - m[5] * m[6]) +
                             m[2] * (m[3] * m[7] - m[4] * m[6]);
  NM_CHECK(determinant != 0, "[perspective_warp] the matrix must not be singular");
  const double d = 1 / determinant;
  return {(m[4] * m[8] - m[5] * m[7]) * d, (m[2] * m[7] - m[1] * m[8]) * d, (m[1] * m[5] - m[2] * m[4]) * d,
          (m[5] * m[6] - m[3] * m[8]) * d, (m[0] * m[8] - m[2] * m[6]) * d, (m[2] * m[3] - m[0] * m[5]) * d,
          (m[3] * m[7] - m[4] * m[6]) * d, (m[1] * m[6] - m[0] * m[7]) * d, (m[0] * m[4] - m[1] * m[3]) * d};
}

constexpr int kMargin = 2;  // black pixels around the image, so that no neighbour needs a check

/// Where the pixels of row y come from: index of the upper left neighbour in the image with margin, and the
/// distance to it in 1/32 pixel.
NM_VECTORISED(find_sources,
              (std::int32_t * NM_RESTRICT first, std::int32_t* NM_RESTRICT dx, std::int32_t* NM_RESTRICT dy,
               const double* NM_RESTRICT m, double y, int width, int height),
              (first, dx, dy, m, y, width, height)) {
  constexpr double kNoFraction = 0x1.8p52;  // added and subtracted: rounds to whole numbers, ties to even
  const double u0 = m[1] * y + m[2], v0 = m[4] * y + m[5], w0 = m[7] * y + m[8];
  const double u_step = m[0], v_step = m[3], w_step = m[6];
  const double right = 32.0 * width, bottom = 32.0 * height;
  const std::int32_t stride = width + 2 * kMargin;
  for (int x = 0; x < width; ++x) {
    const double w = w0 + w_step * x;
    const double scale = w != 0 ? 32 / w : 0;
    double u = (u0 + u_step * x) * scale, v = (v0 + v_step * x) * scale;
    u = u > -64 ? u : -64;  // everything beyond the margin is black
    v = v > -64 ? v : -64;
    u = u < right ? u : right;
    v = v < bottom ? v : bottom;
    const auto fine_x = static_cast<std::int32_t>((u + kNoFraction) - kNoFraction) + 32 * kMargin;
    const auto fine_y = static_cast<std::int32_t>((v + kNoFraction) - kNoFraction) + 32 * kMargin;
    first[x] = (fine_y >> 5) * stride + (fine_x >> 5);
    dx[x] = fine_x & 31;
    dy[x] = fine_y & 31;
  }
}

NM_VECTORISED(interpolate,
              (std::uint32_t * NM_RESTRICT out, const std::uint32_t* NM_RESTRICT pixels,
               const std::int32_t* NM_RESTRICT first, const std::int32_t* NM_RESTRICT dx,
               const std::int32_t* NM_RESTRICT dy, std::int32_t stride, int width),
              (out, pixels, first, dx, dy, stride, width)) {
  for (int x = 0; x < width; ++x) {
    const std::uint32_t a = pixels[first[x]], b = pixels[first[x] + 1], c = pixels[first[x] + stride],
                        d = pixels[first[x] + stride + 1];
    const auto right = static_cast<std::uint32_t>(dx[x]), lower = static_cast<std::uint32_t>(dy[x]);
    const std::uint32_t wa = (32 - right) * (32 - lower), wb = right * (32 - lower),
                        wc = (32 - right) * lower, wd = right * lower;
    std::uint32_t word = 0;
    for (int shift = 0; shift < 24; shift += 8) {
      const std::uint32_t sum = ((a >> shift) & 255) * wa + ((b >> shift) & 255) * wb +
                                ((c >> shift) & 255) * wc + ((d >> shift) & 255) * wd;
      word |= ((sum + 512) >> 10) << shift;
    }
    out[x] = word;
  }
}

/// The image as one word per pixel, the first channel lowest, within a black margin.
void spread(const Image& image, std::span<std::uint32_t> words) {
  const int stride = image.width + 2 * kMargin;
  std::fill(words.begin(), words.end(), 0u);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(y);
    std::uint32_t* to = words.data() + (y + kMargin) * stride + kMargin;
    if (image.channels == 1) {
      for (int x = 0; x < image.width; ++x) to[x] = from[x];
    } else {
      for (int x = 0; x < image.width; ++x)
        to[x] = from[3 * x] | static_cast<std::uint32_t>(from[3 * x + 1]) << 8 |
                static_cast<std::uint32_t>(from[3 * x + 2]) << 16;
    }
  }
}

void pack(const std::uint32_t* words, int width, int channels, std::uint8_t* to) {
  if (channels == 1) {
    for (int x = 0; x < width; ++x) to[x] = static_cast<std::uint8_t>(words[x]);
    return;
  }
  for (int x = 0; x + 1 < width; ++x)
    std::memcpy(to + 3 * x, words + x, 4);  // the next pixel overwrites the fourth
  std::memcpy(to + 3 * (width - 1), words + width - 1, 3);
}

}  // namespace

void perspective_warp(const Image& image, const Matrix& matrix, Scratch& scratch, Image& out) {
  NM_CHECK(image.width > 0 && image.height > 0, "[perspective_warp] the image is empty");
  const Matrix back = inverse(matrix);
  set_shape_like(out, image);
  const Scratch::Frame frame(scratch);
  const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
  const auto words = scratch.take<std::uint32_t>((width + 2 * kMargin) * (height + 2 * kMargin));
  spread(image, words);
  const auto first = scratch.take<std::int32_t>(width), dx = scratch.take<std::int32_t>(width),
             dy = scratch.take<std::int32_t>(width);
  const auto row = scratch.take<std::uint32_t>(width);
  for (int y = 0; y < image.height; ++y) {
    find_sources(first.data(), dx.data(), dy.data(), back.data(), y, image.width, image.height);
    interpolate(row.data(), words.data(), first.data(), dx.data(), dy.data(), image.width + 2 * kMargin,
                image.width);
    pack(row.data(), image.width, image.channels, out.row(y));
  }
}

}  // namespace noisymix
