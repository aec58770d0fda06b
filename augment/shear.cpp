// Shears move whole rows or columns, so interpolation happens along one direction only and neighbours lie in contiguous
// bytes. Every shortcut is checked against the guard of affine_row_exact.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// How far a row or column moves: a shift of `whole` pixels and a weight `part` in [0, 1) of the next neighbour.
struct Shift {
  int whole;
  float part;
  int begin, end;  // outputs whose sources are inside the image
};

/// Splits the shift of a line of `size` pixels. False when rounding could decide which neighbours are meant or which
/// sources are inside: within 1e-9 of a half or whole pixel, where the exact routine has to look at each pixel.
bool split_shift(double distance, int size, Shift& shift) {
  if (!(std::abs(distance) < 16384)) return false;
  const double whole = std::floor(distance), part = distance - whole;
  const double to_border = std::min({part, std::abs(part - 0.5), 1 - part});
  if (to_border < 1e-9) return false;
  shift.whole = static_cast<int>(whole);
  shift.part = static_cast<float>(part);
  // Output i samples at i + 1/2 + distance, inside when that is in [0, size).
  const int first = -shift.whole - (part > 0.5 ? 1 : 0);
  shift.begin = std::clamp(first, 0, size);
  shift.end = std::clamp(first + size, shift.begin, size);
  return true;
}

/// Interpolates n bytes with one weight.
NM_VECTORISED(blend_row, (std::uint8_t* NM_RESTRICT out, const std::uint8_t* NM_RESTRICT first,
                          const std::uint8_t* NM_RESTRICT second, std::size_t n, float weight,
                          std::int32_t* NM_RESTRICT doubtful),
              (out, first, second, n, weight, doubtful)) {
  std::int32_t unsafe = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t from = first[i], gap = second[i] - from;
    const float value = static_cast<float>(from) + static_cast<float>(gap) * weight;
    const auto whole = static_cast<std::int32_t>(value);
    const float rest = value - static_cast<float>(whole);
    unsafe |= (static_cast<std::int32_t>(rest < kTruncationGuard) |
               static_cast<std::int32_t>(rest > 1.0f - kTruncationGuard)) & static_cast<std::int32_t>(gap != 0);
    out[i] = static_cast<std::uint8_t>(whole);
  }
  *doubtful = unsafe;
}

/// A run of neighbouring columns that sample the same two rows, over the whole height: bytes [0, n) of every row of
/// `image` and `out`, one weight per byte. Rows beyond the image repeat its border.
NM_VECTORISED(blend_columns,
              (std::uint8_t* NM_RESTRICT out, const std::uint8_t* NM_RESTRICT image, std::size_t stride, int height,
               std::size_t n, int whole_shift, const float* NM_RESTRICT weights, std::int32_t* NM_RESTRICT doubtful),
              (out, image, stride, height, n, whole_shift, weights, doubtful)) {
  for (int y = 0; y < height; ++y) {
    const int upper = std::clamp(y + whole_shift, 0, height - 1), lower = std::clamp(y + whole_shift + 1, 0, height - 1);
    const std::uint8_t* NM_RESTRICT first = image + static_cast<std::size_t>(upper) * stride;
    const std::uint8_t* NM_RESTRICT second = image + static_cast<std::size_t>(lower) * stride;
    std::uint8_t* NM_RESTRICT to = out + static_cast<std::size_t>(y) * stride;
    std::int32_t unsafe = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const std::int32_t from = first[i], gap = second[i] - from;
      const float value = static_cast<float>(from) + static_cast<float>(gap) * weights[i];
      const auto whole = static_cast<std::int32_t>(value);
      const float rest = value - static_cast<float>(whole);
      unsafe |= (static_cast<std::int32_t>(rest < kTruncationGuard) |
                 static_cast<std::int32_t>(rest > 1.0f - kTruncationGuard)) & static_cast<std::int32_t>(gap != 0);
      to[i] = static_cast<std::uint8_t>(whole);
    }
    doubtful[y] |= unsafe;
  }
}

/// The shifts of all lines; false when one of them needs the exact routine.
bool split_shifts(double factor, int lines, int size, std::vector<Shift>& shifts) {
  shifts.resize(static_cast<std::size_t>(lines));
  for (int i = 0; i < lines; ++i)
    if (!split_shift(factor * (i + 0.5), size, shifts[static_cast<std::size_t>(i)])) return false;
  return true;
}

void exact(const Image& image, Image& out, const AffineMatrix& matrix) {
  for (int y = 0; y < image.height; ++y) affine_row_exact(image, out, matrix, y, 0, image.width);
}

}  // namespace

void shear_x(const Image& image, Image& out, double factor) {
  if (factor == 0) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  thread_local std::vector<Shift> shifts;
  const AffineMatrix matrix{1, factor, 0, 0, 1, 0};
  if (!split_shifts(factor, image.height, image.width, shifts)) return exact(image, out, matrix);

  thread_local std::vector<std::uint8_t> padded;  // a row with its border pixels repeated
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t stride = image.stride();
  padded.resize(stride + 2 * channels);
  for (int y = 0; y < image.height; ++y) {
    const Shift& shift = shifts[static_cast<std::size_t>(y)];
    std::uint8_t* to = out.row(y);
    const std::size_t begin = static_cast<std::size_t>(shift.begin) * channels;
    const std::size_t end = static_cast<std::size_t>(shift.end) * channels;
    std::fill(to, to + begin, std::uint8_t{0});
    std::fill(to + end, to + stride, std::uint8_t{0});
    if (begin == end) continue;
    std::memcpy(padded.data() + channels, image.row(y), stride);
    std::memcpy(padded.data(), image.row(y), channels);
    std::memcpy(padded.data() + channels + stride, image.row(y) + stride - channels, channels);
    const std::uint8_t* from = padded.data() + static_cast<std::size_t>(shift.begin + shift.whole + 1) * channels;
    std::int32_t doubtful = 0;
    blend_row(to + begin, from, from + channels, end - begin, shift.part, &doubtful);
    if (doubtful != 0) affine_row_exact(image, out, matrix, y, shift.begin, shift.end);
  }
}

void shear_y(const Image& image, Image& out, double factor) {
  if (factor == 0) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  if (image.height == 0) return;
  thread_local std::vector<Shift> shifts;
  const AffineMatrix matrix{1, 0, 0, factor, 1, 0};
  if (!split_shifts(factor, image.width, image.height, shifts)) return exact(image, out, matrix);

  thread_local std::vector<float> weights;
  thread_local std::vector<std::int32_t> doubtful;
  const auto channels = static_cast<std::size_t>(image.channels), width = static_cast<std::size_t>(image.width);
  weights.resize(image.stride());
  doubtful.assign(static_cast<std::size_t>(image.height), 0);
  for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = shifts[i / channels].part;
  for (std::size_t begin = 0, end; begin < width; begin = end) {
    for (end = begin + 1; end < width && shifts[end].whole == shifts[begin].whole;) ++end;
    const std::size_t offset = begin * channels;
    blend_columns(out.pixels.data() + offset, image.pixels.data() + offset, image.stride(), image.height,
                  (end - begin) * channels, shifts[begin].whole, weights.data() + offset, doubtful.data());
  }
  for (int y = 0; y < image.height; ++y)
    if (doubtful[static_cast<std::size_t>(y)] != 0) affine_row_exact(image, out, matrix, y, 0, image.width);
  for (std::size_t x = 0; x < width; ++x) {
    const auto blacken = [&](int begin, int end) {
      for (int y = begin; y < end; ++y) std::fill_n(out.row(y) + x * channels, channels, std::uint8_t{0});
    };
    blacken(0, shifts[x].begin);
    blacken(shifts[x].end, image.height);
  }
}

}  // namespace noisymix
