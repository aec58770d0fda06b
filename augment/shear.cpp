// Shears move whole rows or columns, so interpolation happens along one direction only and neighbours lie in
// contiguous bytes. Every shortcut is checked against the guard of affine_row_exact.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

/// Rows of bytes at a fixed distance.
struct Rows {
  const std::uint8_t* first;
  std::size_t pitch;
};

/// What interpolate() reads and writes: `rows` rows of `size` values, a multiple of kBlock. A value lies
/// between two bytes of `from` that are `next` bytes apart, at its weight, and is truncated. doubtful[y]
/// becomes nonzero when a value of row y is so close to a whole number that f32 may have truncated it
/// wrongly. The values that only fill up a block may do that too: then a row is computed exactly without
/// need, which happens rarely.
struct Lines {
  std::uint8_t* to;
  Rows from;
  std::size_t next;
  const float* weights;
  std::size_t weights_pitch;
  std::size_t rows, size;
  std::int32_t* doubtful;
};

NM_VECTORISED(interpolate_line,
              (std::uint8_t * NM_RESTRICT to, const std::uint8_t* NM_RESTRICT first,
               const std::uint8_t* NM_RESTRICT second, const float* NM_RESTRICT weights, std::size_t n,
               std::int32_t* NM_RESTRICT doubtful),
              (to, first, second, weights, n, doubtful)) {
  std::int32_t unsafe = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t here = first[i], gap = second[i] - here;
    const float value = static_cast<float>(here) + static_cast<float>(gap) * weights[i];
    const auto least = static_cast<std::int32_t>(value - kGuard),
               most = static_cast<std::int32_t>(value + kGuard);
    unsafe |= static_cast<std::int32_t>(least != most) &
              static_cast<std::int32_t>(gap != 0);  // equal ones are exact
    to[i] = static_cast<std::uint8_t>(most);
  }
  *doubtful = unsafe;
}

#if defined(__x86_64__)
// The compiler widens 64 bytes at once and spends its time unpacking them; 16 at a time need no unpacking.
// (GCC 12 warns of the undefined lanes inside its unmasked conversions, hence the masks that keep all lanes.)
constexpr __mmask16 kAll = 0xFFFF;

NM_TARGET_AVX512 inline __m512i load_bytes(const std::uint8_t* p) {
  return _mm512_maskz_cvtepu8_epi32(kAll, _mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
}
NM_TARGET_AVX512 inline void store_bytes(std::uint8_t* p, __m512i values) {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_maskz_cvtepi32_epi8(kAll, values));
}

NM_TARGET_AVX512 void interpolate_avx512(const Lines& lines) {
  const __m512 guard = _mm512_set1_ps(kGuard);
  for (std::size_t y = 0; y < lines.rows; ++y) {
    const std::uint8_t* first = lines.from.first + y * lines.from.pitch;
    const float* weights = lines.weights + y * lines.weights_pitch;
    std::uint8_t* to = lines.to + y * lines.size;
    std::uint32_t unsafe = 0;
    for (std::size_t i = 0; i < lines.size; i += kBlock) {
      const __m512i here = load_bytes(first + i);
      const __m512i gap = _mm512_sub_epi32(load_bytes(first + lines.next + i), here);
      const __m512 start = _mm512_maskz_cvtepi32_ps(kAll, here), way = _mm512_maskz_cvtepi32_ps(kAll, gap);
      const __m512 value = _mm512_fmadd_ps(way, _mm512_loadu_ps(weights + i), start);
      const __m512i least = _mm512_maskz_cvttps_epi32(kAll, _mm512_sub_ps(value, guard));
      const __m512i most = _mm512_maskz_cvttps_epi32(kAll, _mm512_add_ps(value, guard));
      unsafe |= _mm512_mask_cmpneq_epi32_mask(_mm512_test_epi32_mask(gap, gap), least, most);
      store_bytes(to + i, most);
    }
    lines.doubtful[y] = static_cast<std::int32_t>(unsafe);
  }
}
#endif

void interpolate(const Lines& lines) {
#if defined(__x86_64__)
  if (cpu::active_isa() == cpu::Isa::avx512) return interpolate_avx512(lines);
#endif
  for (std::size_t y = 0; y < lines.rows; ++y) {
    const std::uint8_t* first = lines.from.first + y * lines.from.pitch;
    interpolate_line(lines.to + y * lines.size, first, first + lines.next,
                     lines.weights + y * lines.weights_pitch, lines.size, lines.doubtful + y);
  }
}

/// Work memory; each thread keeps one.
struct Work {
  std::vector<Shift> shifts;
  std::vector<float> weights;
  std::vector<std::uint8_t> source, sheared, values;
  std::vector<std::int32_t> doubtful;  // per row: f32 may have truncated wrongly
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

/// Copies the values to `out` and computes the rows of doubt again.
void finish(const Image& image, Image& out, const AffineMatrix& matrix, const Work& work) {
  const std::size_t stride = image.stride(), padded = rounded_up(stride);
  for (int y = 0; y < image.height; ++y) {
    const auto row = static_cast<std::size_t>(y);
    std::memcpy(out.row(y), work.values.data() + row * padded, stride);
    if (work.doubtful[row] != 0) affine_row_exact(image, out, matrix, y, 0, image.width);
  }
}

/// Bytes from row to row of Work::sheared.
std::size_t sheared_stride(const Image& image) {
  return rounded_up(image.stride()) + 2 * kBlock;
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

/// Fills work.sheared, one row per row of the image: pixel x of row y is the left neighbour of output (x, y),
/// pixel x + 1 its right one.
void shift_rows(const Image& image, Work& work) {
  const std::size_t channels = static_cast<std::size_t>(image.channels);
  work.sheared.resize(static_cast<std::size_t>(image.height) * sheared_stride(image));
  for (int y = 0; y < image.height; ++y) {
    // Source columns [from, to) lie inside; before and behind them the border repeats.
    const int whole = work.shifts[static_cast<std::size_t>(y)].whole;
    const int from = std::clamp(whole, 0, image.width - 1),
              to = std::clamp(whole + image.width + 1, from + 1, image.width);
    const std::uint8_t* row = image.row(y);
    std::uint8_t* at = work.sheared.data() + static_cast<std::size_t>(y) * sheared_stride(image);
    const auto repeat = [&](int count, int column) {
      for (int i = 0; i < count; ++i, at += channels)
        std::memcpy(at, row + static_cast<std::size_t>(column) * channels, channels);
    };
    const int before = std::clamp(-whole, 0, image.width);
    repeat(before, 0);
    const std::size_t size =
        static_cast<std::size_t>(std::min(to - from, image.width + 1 - before)) * channels;
    std::memcpy(at, row + static_cast<std::size_t>(from) * channels, size);
    at += size;
    repeat(image.width + 1 - before - static_cast<int>(size / channels), image.width - 1);
  }
}

/// Makes outputs black whose sources lie left or right of the image.
void blacken_sides(Image& out, const std::vector<Shift>& shifts) {
  const auto channels = static_cast<std::size_t>(out.channels);
  for (int y = 0; y < out.height; ++y) {
    const Shift& shift = shifts[static_cast<std::size_t>(y)];
    const std::size_t begin = static_cast<std::size_t>(shift.begin) * channels,
                      end = static_cast<std::size_t>(shift.end) * channels;
    std::memset(out.row(y), 0, begin);
    std::memset(out.row(y) + end, 0, out.stride() - end);
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

  const std::size_t padded = rounded_up(image.stride()), rows = static_cast<std::size_t>(image.height);
  work.weights.resize(rows * padded);
  for (std::size_t y = 0; y < rows; ++y)
    std::fill_n(work.weights.data() + y * padded, padded, work.shifts[y].part);
  shift_rows(image, work);
  work.values.resize(rows * padded);
  work.doubtful.resize(rows);
  interpolate({work.values.data(),
               {work.sheared.data(), sheared_stride(image)},
               static_cast<std::size_t>(image.channels),
               work.weights.data(),
               padded,
               rows,
               padded,
               work.doubtful.data()});
  finish(image, out, matrix, work);
  blacken_sides(out, work.shifts);
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

  const std::size_t padded = rounded_up(image.stride()), rows = static_cast<std::size_t>(image.height);
  shear_whole_pixels(image, work);
  work.values.resize(rows * padded);
  work.doubtful.resize(rows);
  const std::size_t pitch = sheared_stride(image);
  interpolate({work.values.data(),
               {work.sheared.data(), pitch},
               pitch,
               work.weights.data(),
               0,
               rows,
               padded,
               work.doubtful.data()});
  finish(image, out, matrix, work);
  blacken_outside(out, work.shifts);
}

}  // namespace noisymix
