// Shears move whole rows or columns, so interpolation happens along one direction only and neighbours lie in
// contiguous bytes. Every shortcut is checked against the guard of affine_row_exact.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// How far a row or column moves: a shift of `whole` pixels and a weight `part` in [0, 1) of the next
/// neighbour.
struct Shift {
  int whole;
  float part;
  int begin, end;  // outputs whose sources are inside the image
};

/// Splits the shift of a line of `size` pixels. False when rounding could decide which neighbours are meant
/// or which sources are inside: within 1e-9 of a half or whole pixel, where the exact routine has to look at
/// each pixel.
bool split_shift(double distance, int size, Shift& shift) {
  if (!(std::abs(distance) < 16384)) return false;
  const int truncated = static_cast<int>(distance);
  const int whole = truncated - static_cast<int>(distance < truncated);
  const double part = distance - whole;
  const double to_border = std::min({part, std::abs(part - 0.5), 1 - part});
  if (to_border < 1e-9) return false;
  shift.whole = whole;
  shift.part = static_cast<float>(part);
  // Output i samples at i + 1/2 + distance, inside when that is in [0, size).
  const int first = -shift.whole - (part > 0.5 ? 1 : 0);
  shift.begin = std::clamp(first, 0, size);
  shift.end = std::clamp(first + size, shift.begin, size);
  return true;
}

// Kernels interpolate whole blocks of this many values and write over the end of a row: buffers are that much
// longer.
constexpr std::size_t kBlock = 16;

constexpr std::size_t rounded_up(std::size_t n) {
  return (n + kBlock - 1) / kBlock * kBlock;
}

// Errors, in grey levels: the weight's rounding to f32 times 255, and two roundings of numbers below 256,
// each at most 2^-17. Together less than this:
constexpr float kGuard = 2.5e-5f;

/// Interpolates n values with a weight each, truncated; n is a multiple of kBlock. Sets *doubtful when a
/// value is so close to a whole number that f32 may have truncated it wrongly. The values that only fill up a
/// block may set it too: then a row is computed exactly without need, which happens rarely.
NM_VECTORISED(interpolate,
              (std::uint8_t * NM_RESTRICT values, const std::uint8_t* NM_RESTRICT first,
               const std::uint8_t* NM_RESTRICT second, const float* NM_RESTRICT weights, std::size_t n,
               std::int32_t* NM_RESTRICT doubtful),
              (values, first, second, weights, n, doubtful)) {
  std::int32_t unsafe = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t from = first[i], gap = second[i] - from;
    const float value = static_cast<float>(from) + static_cast<float>(gap) * weights[i];
    const auto least = static_cast<std::int32_t>(value - kGuard),
               most = static_cast<std::int32_t>(value + kGuard);
    unsafe |= static_cast<std::int32_t>(least != most) &
              static_cast<std::int32_t>(gap != 0);  // equal ones are exact
    values[i] = static_cast<std::uint8_t>(most);
  }
  *doubtful = unsafe;
}

/// Work memory; each thread keeps one.
struct Work {
  std::vector<Shift> shifts;
  std::vector<float> weights;
  std::vector<std::uint8_t> source, sheared, row;
  std::vector<int> doubtful;  // rows in which f32 may have truncated wrongly
};

Work& work_memory() {
  thread_local Work work;
  return work;
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

/// The rows of doubt, computed again.
void finish(const Image& image, Image& out, const AffineMatrix& matrix, const Work& work) {
  for (const int y : work.doubtful) affine_row_exact(image, out, matrix, y, 0, image.width);
}

/// Row y with its first and last pixel repeated once.
void repeat_border(const Image& image, int y, std::uint8_t* to) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::uint8_t* from = image.row(y);
  const std::size_t n = image.stride();
  std::memcpy(to + channels, from, n);
  for (std::size_t c = 0; c < channels; ++c) {
    to[c] = from[c];
    to[channels + n + c] = from[n - channels + c];
  }
}

/// Bytes from row to row of Work::sheared.
std::size_t sheared_stride(const Image& image) {
  return rounded_up(image.stride()) + kBlock;
}

/// Fills work.sheared, height + 1 rows: row y holds the upper neighbours of output row y, and row y +
/// 1 its lower ones. Columns that move equally far are copied together, in whole blocks from left to right:
/// each run overwrites what the one before wrote too much. Fills work.weights by the way.
void shear_whole_pixels(const Image& image, Work& work) {
  const std::size_t stride = image.stride(), channels = static_cast<std::size_t>(image.channels);
  const auto height = static_cast<std::size_t>(image.height);
  work.source.resize(height * stride + kBlock);
  std::memcpy(work.source.data(), image.pixels.data(), image.pixels.size());
  work.sheared.resize((height + 1) * sheared_stride(image));
  work.weights.assign(rounded_up(stride), 0.0f);
  for (int begin = 0, end; begin < image.width; begin = end) {
    const int whole = work.shifts[static_cast<std::size_t>(begin)].whole;
    const std::size_t at = static_cast<std::size_t>(begin) * channels;
    std::size_t size = 0;
    for (end = begin; end < image.width && work.shifts[static_cast<std::size_t>(end)].whole == whole;
         ++end, size += channels)
      std::fill_n(work.weights.data() + at + size, channels, work.shifts[static_cast<std::size_t>(end)].part);
    for (int y = 0; y <= image.height; ++y) {
      const auto from_row = static_cast<std::size_t>(std::clamp(y + whole, 0, image.height - 1));
      const std::uint8_t* from = work.source.data() + from_row * stride + at;
      std::uint8_t* to = work.sheared.data() + static_cast<std::size_t>(y) * sheared_stride(image) + at;
      for (std::size_t i = 0; i < size; i += kBlock) std::memcpy(to + i, from + i, kBlock);
    }
  }
}

/// Makes outputs black whose sources lie above or below the image.
void blacken_outside(Image& out, const std::vector<Shift>& shifts) {
  const auto channels = static_cast<std::size_t>(out.channels);
  for (int x = 0; x < out.width; ++x) {
    const Shift& shift = shifts[static_cast<std::size_t>(x)];
    const auto blacken = [&](int begin, int end) {
      for (int y = begin; y < end; ++y)
        std::fill_n(out.row(y) + static_cast<std::size_t>(x) * channels, channels, std::uint8_t{0});
    };
    blacken(0, shift.begin);
    blacken(shift.end, out.height);
  }
}

}  // namespace

void shear_x(const Image& image, Image& out, double factor) {
  if (factor == 0) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  if (image.pixels.empty()) return;
  Work& work = work_memory();
  const AffineMatrix matrix{1, factor, 0, 0, 1, 0};
  if (!split_shifts(factor, image.height, image.width, work.shifts)) return exact(image, out, matrix);

  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t stride = image.stride();
  work.weights.resize(rounded_up(stride));
  work.source.resize(stride + 2 * channels + 2 * kBlock);
  work.row.resize(stride + kBlock);
  work.doubtful.clear();
  for (int y = 0; y < image.height; ++y) {
    const Shift& shift = work.shifts[static_cast<std::size_t>(y)];
    const std::size_t begin = static_cast<std::size_t>(shift.begin) * channels;
    const std::size_t end = static_cast<std::size_t>(shift.end) * channels;
    std::uint8_t* row = work.row.data();
    if (begin < end) {
      repeat_border(image, y, work.source.data());
      const std::uint8_t* first =
          work.source.data() + static_cast<std::size_t>(shift.begin + shift.whole + 1) * channels;
      const std::size_t n = rounded_up(end - begin);
      std::fill_n(work.weights.begin(), n, shift.part);
      std::int32_t doubtful = 0;
      interpolate(row + begin, first, first + channels, work.weights.data(), n, &doubtful);
      if (doubtful != 0) work.doubtful.push_back(y);
    }
    std::memset(row, 0, begin);
    std::memset(row + end, 0, stride - end);
    std::memcpy(out.row(y), row, stride);
  }
  finish(image, out, matrix, work);
}

void shear_y(const Image& image, Image& out, double factor) {
  if (factor == 0) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  if (image.pixels.empty()) return;
  Work& work = work_memory();
  const AffineMatrix matrix{1, 0, 0, factor, 1, 0};
  if (!split_shifts(factor, image.width, image.height, work.shifts)) return exact(image, out, matrix);

  const std::size_t stride = image.stride(), padded = rounded_up(stride), pitch = sheared_stride(image);
  shear_whole_pixels(image, work);
  work.row.resize(padded);
  work.doubtful.clear();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* first = work.sheared.data() + static_cast<std::size_t>(y) * pitch;
    std::int32_t doubtful = 0;
    interpolate(work.row.data(), first, first + pitch, work.weights.data(), padded, &doubtful);
    std::memcpy(out.row(y), work.row.data(), stride);
    if (doubtful != 0) work.doubtful.push_back(y);
  }
  finish(image, out, matrix, work);
  blacken_outside(out, work.shifts);
}

}  // namespace noisymix
