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

/// How far each row or column moves: `whole` pixels and a weight `part` in [0, 1) of the next neighbour. The
/// outputs whose sources are inside the image are begin <= i < end.
struct Shifts {
  std::vector<std::int32_t> whole, begin, end;
  std::vector<float> part;
};

/// Splits the shifts factor * (i + 1/2) of lines of `size` pixels. *exact becomes 0 when rounding could
/// decide which neighbours are meant or which sources are inside: within 1e-9 of a half or whole pixel, where
/// the exact routine has to look at each pixel.
NM_VECTORISED(split,
              (std::int32_t * NM_RESTRICT whole, std::int32_t* NM_RESTRICT begin,
               std::int32_t* NM_RESTRICT end, float* NM_RESTRICT part, double factor, int lines, int size,
               std::int32_t* NM_RESTRICT clear),
              (whole, begin, end, part, factor, lines, size, clear)) {
  std::int32_t all_clear = 1;
  for (int i = 0; i < lines; ++i) {
    const double distance = factor * (i + 0.5);
    const auto truncated = static_cast<std::int32_t>(distance);
    const std::int32_t down = truncated - static_cast<std::int32_t>(distance < truncated);
    const double rest = distance - down, from_half = rest - 0.5;
    const std::int32_t late = static_cast<std::int32_t>(from_half > 0);
    all_clear &= static_cast<std::int32_t>(rest >= 1e-9) & static_cast<std::int32_t>(rest <= 1 - 1e-9) &
                 static_cast<std::int32_t>(from_half * from_half >= 1e-18);
    // Output i samples at i + 1/2 + distance, inside when that is in [0, size).
    const std::int32_t first = -down - late, behind = first + size;
    const std::int32_t from = first < 0 ? 0 : first, to = behind < 0 ? 0 : behind;
    begin[i] = from > size ? size : from;
    end[i] = to > size ? size : to;
    whole[i] = down;
    part[i] = static_cast<float>(rest);
  }
  *clear = all_clear;
}

/// The shifts of all lines; false when one of them needs the exact routine.
bool split_shifts(double factor, int lines, int size, Shifts& shifts) {
  if (!(std::abs(factor) * lines < 16384)) return false;
  const auto n = static_cast<std::size_t>(lines);
  for (auto* list : {&shifts.whole, &shifts.begin, &shifts.end}) list->resize(n);
  shifts.part.resize(n);
  std::int32_t clear = 0;
  split(shifts.whole.data(), shifts.begin.data(), shifts.end.data(), shifts.part.data(), factor, lines, size,
        &clear);
  return clear != 0;
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

/// What interpolate() reads: value i of row y lies between bytes starts[y] + i and starts[y] + i + next of
/// `bytes`, which can be read kBlock bytes beyond the row.
struct Lines {
  const std::uint8_t* bytes;
  const std::size_t* starts;
  std::size_t next;
  const float* row_weights;    // one for each row, or else
  const float* value_weights;  // one for each value of any row, rounded up to whole blocks
};

/// Row by row: the truncated values, and whether one is so close to a whole number that f32 may have
/// truncated it wrongly.
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
template <bool kByRow>
NM_TARGET_AVX512 void interpolate_avx512(const Lines& lines, Image& out, std::int32_t* doubtful) {
  const __m512 guard = _mm512_set1_ps(kGuard);
  const std::size_t n = out.stride(), rows = static_cast<std::size_t>(out.height);
  std::uint8_t* to = out.pixels.data();
  for (std::size_t y = 0; y < rows; ++y, to += n) {
    const std::uint8_t* first = lines.bytes + lines.starts[y];
    __m512 weight = kByRow ? _mm512_set1_ps(lines.row_weights[y]) : _mm512_setzero_ps();
    std::uint32_t unsafe = 0;
    for (std::size_t i = 0; i < n; i += kBlock) {
      if (!kByRow) weight = _mm512_loadu_ps(lines.value_weights + i);
      const auto lanes = static_cast<__mmask16>(n - i >= kBlock ? 0xFFFFu : (1u << (n - i)) - 1);
      const __m512i here = load_bytes(first + i);
      const __m512i gap = _mm512_sub_epi32(load_bytes(first + lines.next + i), here);
      const __m512 start = _mm512_maskz_cvtepi32_ps(kAll, here), way = _mm512_maskz_cvtepi32_ps(kAll, gap);
      const __m512 value = _mm512_fmadd_ps(way, weight, start);
      const __m512i least = _mm512_maskz_cvttps_epi32(kAll, _mm512_sub_ps(value, guard));
      const __m512i most = _mm512_maskz_cvttps_epi32(kAll, _mm512_add_ps(value, guard));
      unsafe |= _mm512_mask_cmpneq_epi32_mask(_mm512_mask_test_epi32_mask(lanes, gap, gap), least, most);
      _mm_mask_storeu_epi8(to + i, lanes, _mm512_maskz_cvtepi32_epi8(kAll, most));
    }
    doubtful[y] = static_cast<std::int32_t>(unsafe);
  }
}
#endif

void interpolate(const Lines& lines, Image& out, std::int32_t* doubtful) {
  const bool by_row = lines.row_weights != nullptr;
#if defined(__x86_64__)
  if (cpu::active_isa() >= cpu::Isa::avx512)
    return by_row ? interpolate_avx512<true>(lines, out, doubtful)
                  : interpolate_avx512<false>(lines, out, doubtful);
#endif
  thread_local std::vector<float> weights;
  const float* values = lines.value_weights;
  for (std::size_t y = 0; y < static_cast<std::size_t>(out.height); ++y) {
    if (by_row) {
      weights.assign(out.stride(), lines.row_weights[y]);
      values = weights.data();
    }
    const std::uint8_t* first = lines.bytes + lines.starts[y];
    interpolate_line(out.row(static_cast<int>(y)), first, first + lines.next, values, out.stride(),
                     doubtful + y);
  }
}

/// Work memory; each thread keeps one.
struct Work {
  Shifts shifts;
  std::vector<float> weights;
  std::vector<std::size_t> starts;
  std::vector<std::uint8_t> source, sheared;
  std::vector<std::int32_t> doubtful;  // per row: f32 may have truncated wrongly
};

Work& work_memory() {
  thread_local Work work;
  return work;
}

void exact(const Image& image, Image& out, const AffineMatrix& matrix) {
  for (int y = 0; y < image.height; ++y) affine_row_exact(image, out, matrix, y, 0, image.width);
}

/// Interpolates, and computes the rows of doubt again.
void finish(const Image& image, Image& out, const AffineMatrix& matrix, const Lines& lines, Work& work) {
  work.doubtful.resize(static_cast<std::size_t>(image.height));
  interpolate(lines, out, work.doubtful.data());
  for (int y = 0; y < image.height; ++y)
    if (work.doubtful[static_cast<std::size_t>(y)] != 0)
      affine_row_exact(image, out, matrix, y, 0, image.width);
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
    const int whole = work.shifts.whole[static_cast<std::size_t>(begin)];
    const std::size_t at = static_cast<std::size_t>(begin) * channels;
    std::size_t size = 0;
    for (end = begin; end < image.width && work.shifts.whole[static_cast<std::size_t>(end)] == whole;
         ++end, size += channels)
      std::fill_n(work.weights.data() + at + size, channels, work.shifts.part[static_cast<std::size_t>(end)]);
    for (int y = 0; y <= image.height; ++y) {
      const auto from_row = static_cast<std::size_t>(std::clamp(y + whole, 0, image.height - 1));
      const std::uint8_t* from = work.source.data() + from_row * stride + at;
      std::uint8_t* to = work.sheared.data() + static_cast<std::size_t>(y) * sheared_stride(image) + at;
      for (std::size_t i = 0; i < size; i += kBlock) std::memcpy(to + i, from + i, kBlock);
    }
  }
}

/// Fills work.sheared with the rows, their first and last pixels repeated once, and work.starts with the
/// places of the left neighbours. Outputs whose sources lie outside read their neighbours anywhere, at most a
/// row away: they become black afterwards.
void place_rows(const Image& image, Work& work) {
  const std::size_t channels = static_cast<std::size_t>(image.channels), stride = image.stride();
  const std::size_t pitch = stride + 2 * channels, rows = static_cast<std::size_t>(image.height);
  work.sheared.resize((rows + 2) * pitch + kBlock);
  work.starts.resize(rows);
  for (std::size_t y = 0; y < rows; ++y) {
    const std::uint8_t* from = image.row(static_cast<int>(y));
    std::uint8_t* to = work.sheared.data() + (y + 1) * pitch;
    std::memcpy(to + channels, from, stride);
    for (std::size_t c = 0; c < channels; ++c) {
      to[c] = from[c];
      to[channels + stride + c] = from[stride - channels + c];
    }
    const int whole = std::clamp(work.shifts.whole[y], -image.width - 1, image.width);
    work.starts[y] = static_cast<std::size_t>((to - work.sheared.data()) + (whole + 1) * image.channels);
  }
}

/// Makes outputs black whose sources lie left or right of the image.
void blacken_sides(Image& out, const Shifts& shifts) {
  const auto channels = static_cast<std::size_t>(out.channels);
  for (int y = 0; y < out.height; ++y) {
    const std::size_t begin = static_cast<std::size_t>(shifts.begin[static_cast<std::size_t>(y)]) * channels,
                      end = static_cast<std::size_t>(shifts.end[static_cast<std::size_t>(y)]) * channels;
    if (begin > 0) std::memset(out.row(y), 0, begin);
    if (end < out.stride()) std::memset(out.row(y) + end, 0, out.stride() - end);
  }
}

/// Makes outputs black whose sources lie above or below the image.
void blacken_outside(Image& out, const Shifts& shifts) {
  const auto channels = static_cast<std::size_t>(out.channels);
  for (int x = 0; x < out.width; ++x) {
    const auto blacken = [&](int begin, int end) {
      for (int y = begin; y < end; ++y)
        std::fill_n(out.row(y) + static_cast<std::size_t>(x) * channels, channels, std::uint8_t{0});
    };
    blacken(0, shifts.begin[static_cast<std::size_t>(x)]);
    blacken(shifts.end[static_cast<std::size_t>(x)], out.height);
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

  place_rows(image, work);
  const auto channels = static_cast<std::size_t>(image.channels);
  finish(image, out, matrix,
         {work.sheared.data(), work.starts.data(), channels, work.shifts.part.data(), nullptr}, work);
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

  shear_whole_pixels(image, work);
  const std::size_t pitch = sheared_stride(image);
  work.starts.resize(static_cast<std::size_t>(image.height));
  for (std::size_t y = 0; y < work.starts.size(); ++y) work.starts[y] = y * pitch;
  finish(image, out, matrix, {work.sheared.data(), work.starts.data(), pitch, nullptr, work.weights.data()},
         work);
  blacken_outside(out, work.shifts);
}

}  // namespace noisymix
