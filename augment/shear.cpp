// Shears move whole rows or columns, so interpolation happens along one direction only and neighbours lie in
// contiguous bytes. Every shortcut is checked against the guard of affine_row_exact.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/image_ops.h"
#include "augment/interpolation.h"
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

// Kernels interpolate whole blocks of this many values; see Interpolation::kSpill.
constexpr std::size_t kBlock = Interpolation::kSpill;

constexpr std::size_t rounded_up(std::size_t n) {
  return (n + kBlock - 1) / kBlock * kBlock;
}

/// Interpolates n values with a weight each, truncated; n is a multiple of kBlock. Sets *doubtful when a
/// value is so close to a whole number that f32 may have truncated it wrongly. The values that only fill up a
/// block may set it too: then a row is computed exactly without need, which happens rarely.
NM_VECTORISED(interpolate,
              (std::int32_t * NM_RESTRICT values, const float* NM_RESTRICT first,
               const float* NM_RESTRICT second, const float* NM_RESTRICT weights, std::size_t n,
               std::int32_t* NM_RESTRICT doubtful),
              (values, first, second, weights, n, doubtful)) {
  std::int32_t unsafe = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const float gap = second[i] - first[i];
    const float value = first[i] + gap * weights[i];
    const auto whole = static_cast<std::int32_t>(value);
    const float rest = value - static_cast<float>(whole);
    const std::int32_t near_whole = static_cast<std::int32_t>(rest < kTruncationGuard) |
                                    static_cast<std::int32_t>(rest > 1.0f - kTruncationGuard);
    unsafe |= near_whole & static_cast<std::int32_t>(gap != 0.0f);
    values[i] = whole;
  }
  *doubtful |= unsafe;
}

/// Neighbouring columns that sample the same two rows.
struct Run {
  int column, whole;  // the first column and the shift
  std::size_t size;   // values in a row, rounded up
};

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
  if (image.pixels.empty()) return;
  thread_local std::vector<Shift> shifts;
  const AffineMatrix matrix{1, factor, 0, 0, 1, 0};
  if (!split_shifts(factor, image.height, image.width, shifts)) return exact(image, out, matrix);

  thread_local std::vector<float> weights;
  Interpolation& work = interpolation();
  work.start(image);
  const auto channels = static_cast<std::size_t>(image.channels);
  weights.resize(rounded_up(image.stride()));
  for (int y = 0; y < image.height; ++y) {
    const Shift& shift = shifts[static_cast<std::size_t>(y)];
    std::int32_t* row = work.values.data() + static_cast<std::size_t>(y) * image.stride();
    const std::size_t begin = static_cast<std::size_t>(shift.begin) * channels;
    const std::size_t end = static_cast<std::size_t>(shift.end) * channels;
    if (begin < end) {
      const float* first = work.at(y, shift.begin + shift.whole, image.channels);
      const std::size_t n = rounded_up(end - begin);
      std::fill_n(weights.begin(), n, shift.part);
      std::int32_t doubtful = 0;
      interpolate(row + begin, first, first + channels, weights.data(), n, &doubtful);
      if (doubtful != 0) work.doubtful.push_back(y);
    }
    std::fill(row, row + begin, 0);
    std::fill(row + end, row + image.stride(), 0);
  }
  work.finish(image, out, matrix);
}

void shear_y(const Image& image, Image& out, double factor) {
  if (factor == 0) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  if (image.pixels.empty()) return;
  thread_local std::vector<Shift> shifts;
  const AffineMatrix matrix{1, 0, 0, factor, 1, 0};
  if (!split_shifts(factor, image.width, image.height, shifts)) return exact(image, out, matrix);

  thread_local std::vector<float> weights;
  thread_local std::vector<Run> runs;
  Interpolation& work = interpolation();
  work.start(image);
  const auto channels = static_cast<std::size_t>(image.channels);
  // Behind the row: a weight that no grey difference up to 255 brings near a whole number (the golden
  // section), so that values which only fill up a block raise no doubt.
  weights.assign(image.stride() + kBlock, 0.381966f);
  runs.clear();
  for (int begin = 0, end; begin < image.width; begin = end) {
    const Shift& shift = shifts[static_cast<std::size_t>(begin)];
    for (end = begin; end < image.width && shifts[static_cast<std::size_t>(end)].whole == shift.whole; ++end)
      std::fill_n(weights.begin() + end * image.channels, channels,
                  shifts[static_cast<std::size_t>(end)].part);
    runs.push_back({begin, shift.whole, rounded_up(static_cast<std::size_t>(end - begin) * channels)});
  }
  for (int y = 0; y < image.height; ++y) {
    std::int32_t* row = work.values.data() + static_cast<std::size_t>(y) * image.stride();
    std::int32_t doubtful = 0;
    for (const Run& run : runs) {  // from left to right: each overwrites what the one before wrote too much
      const float* first =
          work.at(std::clamp(y + run.whole, -1, image.height - 1), run.column, image.channels);
      const float* second =
          work.at(std::clamp(y + run.whole + 1, 0, image.height), run.column, image.channels);
      const int offset = run.column * image.channels;
      interpolate(row + offset, first, second, weights.data() + offset, run.size, &doubtful);
    }
    if (doubtful != 0) work.doubtful.push_back(y);
  }
  work.finish(image, out, matrix);
  for (int x = 0; x < image.width; ++x) {
    const Shift& shift = shifts[static_cast<std::size_t>(x)];
    const auto blacken = [&](int begin, int end) {
      for (int y = begin; y < end; ++y)
        std::fill_n(out.row(y) + x * image.channels, channels, std::uint8_t{0});
    };
    blacken(0, shift.begin);
    blacken(shift.end, image.height);
  }
}

}  // namespace noisymix
