// Sixteen output pixels at a time. A pixel is one 32-bit word, so that one gathered word brings three
// channels; coordinates are integers with 25 fractional bits; channels are interpolated in f32. What lies so
// near to a whole number or to the border that rounding could decide is computed again, in double precision.
#include "augment/bilinear_rgb.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <vector>

#include "augment/bilinear_blocks.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

constexpr std::size_t kSpill = 16;  // bytes that copies of a row may read or write behind its end

using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// n words from 3 n bytes, four at a time: reads 13 bytes and writes 3 words too many at most.
NM_VECTORISED(words_from_rgb,
              (std::uint32_t * NM_RESTRICT words, const std::uint8_t* NM_RESTRICT rgb, std::size_t n),
              (words, rgb, n)) {
  for (std::size_t i = 0; i < n; i += 4) {
    Bytes16 v;
    std::memcpy(&v, rgb + 3 * i, sizeof v);
    v = __builtin_shufflevector(v, v, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11);
    std::memcpy(words + i, &v, sizeof v);
  }
}

/// The way back; writes up to 13 bytes too many.
NM_VECTORISED(rgb_from_words,
              (std::uint8_t * NM_RESTRICT rgb, const std::uint32_t* NM_RESTRICT words, std::size_t n),
              (rgb, words, n)) {
  for (std::size_t i = 0; i < n; i += 4) {
    Bytes16 v;
    std::memcpy(&v, words + i, sizeof v);
    v = __builtin_shufflevector(v, v, 0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
    std::memcpy(rgb + 3 * i, &v, sizeof v);
  }
}

/// Channel `shift / 8` of the four neighbours, interpolated; `doubtful` unless rounding cannot matter.
inline __attribute__((always_inline)) std::uint32_t interpolated(std::uint32_t a, std::uint32_t b,
                                                                 std::uint32_t c, std::uint32_t d, float dx,
                                                                 float dy, int shift, std::uint32_t varied,
                                                                 std::int32_t& doubtful) {
  const auto channel = [shift](std::uint32_t word) __attribute__((always_inline)) {
    return static_cast<float>(static_cast<std::int32_t>((word >> shift) & 255));
  };
  const float upper = channel(a) + (channel(b) - channel(a)) * dx;
  const float lower = channel(c) + (channel(d) - channel(c)) * dx;
  const float value = upper + (lower - upper) * dy;
  const auto least = static_cast<std::int32_t>(value - kGuard),
             most = static_cast<std::int32_t>(value + kGuard);
  // Between four equal neighbours the arithmetic is exact.
  doubtful |=
      static_cast<std::int32_t>(least != most) & static_cast<std::int32_t>(((varied >> shift) & 255) != 0);
  return static_cast<std::uint32_t>(most) << shift;
}

/// Fills `blocks` blocks of the samples.
NM_VECTORISED(locate,
              (std::int32_t * NM_RESTRICT at, std::int32_t* NM_RESTRICT inside,
               std::int32_t* NM_RESTRICT edge, float* NM_RESTRICT dx, float* NM_RESTRICT dy,
               const Source& source, const Start* NM_RESTRICT starts, std::size_t blocks),
              (at, inside, edge, dx, dy, source, starts, blocks)) {
  constexpr std::int32_t kMask = (1 << kFractionBits) - 1;
  constexpr float kUnit = 1.0f / (1 << kFractionBits);
  const std::int32_t* NM_RESTRICT column_steps = source.column_steps.data();
  const std::int32_t* NM_RESTRICT row_steps = source.row_steps.data();
  const std::int32_t stride = source.stride, width = source.width, height = source.height;
  for (std::size_t block = 0; block < blocks; ++block) {
    const Start start = starts[block];
    const std::size_t i = block * kLanes;
    for (std::size_t k = 0; k < kLanes; ++k) {
      const std::int32_t u = start.column_part + column_steps[k], v = start.row_part + row_steps[k];
      // Within four units of half a pixel the border, or which neighbours are meant, is doubtful.
      edge[i + k] = static_cast<std::int32_t>(((u + 4) & (kHalf - 1)) < 8) |
                    static_cast<std::int32_t>(((v + 4) & (kHalf - 1)) < 8);
      const std::int32_t column = start.column + ((u + kHalf) >> kFractionBits);
      const std::int32_t row = start.row + ((v + kHalf) >> kFractionBits);
      const std::int32_t outside = (column | (width - 1 - column) | row | (height - 1 - row)) >> 31;
      const std::int32_t left = start.column + (u >> kFractionBits) + 1,
                         upper = start.row + (v >> kFractionBits) + 1;
      at[i + k] = (upper * stride + left) & ~outside;
      inside[i + k] = ~outside;
      dx[i + k] = static_cast<float>(u & kMask) * kUnit;
      dy[i + k] = static_cast<float>(v & kMask) * kUnit;
    }
  }
}

/// upper[2k], upper[2k + 1], lower[2k], lower[2k + 1] = the four neighbours of pixel k.
void gather(std::uint32_t* NM_RESTRICT upper, std::uint32_t* NM_RESTRICT lower,
            const std::int32_t* NM_RESTRICT at, const Source& source, std::size_t n) {
  const std::uint32_t *above = source.words, *below = source.words + source.stride;
  for (std::size_t k = 0; k < n; ++k) {
    std::memcpy(upper + 2 * k, above + at[k], 8);
    std::memcpy(lower + 2 * k, below + at[k], 8);
  }
}

/// The pixels' words, black outside, and which of them are doubtful; *any becomes nonzero if one is.
NM_VECTORISED(interpolate,
              (std::uint32_t * NM_RESTRICT words, std::int32_t* NM_RESTRICT doubts,
               std::int32_t* NM_RESTRICT any, const std::uint32_t* NM_RESTRICT upper,
               const std::uint32_t* NM_RESTRICT lower, const float* NM_RESTRICT dx,
               const float* NM_RESTRICT dy, const std::int32_t* NM_RESTRICT inside,
               const std::int32_t* NM_RESTRICT edge, std::size_t n),
              (words, doubts, any, upper, lower, dx, dy, inside, edge, n)) {
  std::int32_t found = 0;
  for (std::size_t k = 0; k < n; ++k) {
    const std::uint32_t a = upper[2 * k], b = upper[2 * k + 1], c = lower[2 * k], d = lower[2 * k + 1];
    const std::uint32_t varied = (a ^ b) | (c ^ d) | (a ^ c);
    std::int32_t doubtful = 0;
    const std::uint32_t word = interpolated(a, b, c, d, dx[k], dy[k], 0, varied, doubtful) |
                               interpolated(a, b, c, d, dx[k], dy[k], 8, varied, doubtful) |
                               interpolated(a, b, c, d, dx[k], dy[k], 16, varied, doubtful);
    words[k] = word & static_cast<std::uint32_t>(inside[k]);
    doubts[k] = (doubtful & inside[k]) | edge[k];
    found |= doubts[k];
  }
  *any |= found;
}

/// Work memory; each thread keeps one.
struct Work {
  std::vector<std::uint8_t> bytes;  // one row and what the copies run over its end
  std::vector<std::uint32_t> source, upper, lower, words, doubtful_bits;
  std::vector<std::int32_t> at, inside, edge, doubts;
  std::vector<float> dx, dy;
  std::vector<Start> starts;
};

std::size_t rounded_up(int width) {
  return static_cast<std::size_t>((width + kLanes - 1) / kLanes * kLanes);
}

/// Fills work.source and returns the number of words per row.
std::size_t load_source(const Image& image, Work& work) {
  const auto width = static_cast<std::size_t>(image.width), height = static_cast<std::size_t>(image.height);
  const std::size_t stride = width + 2;
  work.source.resize((height + 2) * stride + 4);
  work.bytes.resize(3 * rounded_up(image.width) + 16);
  for (std::size_t y = 0; y < height; ++y) {
    std::uint32_t* row = work.source.data() + (y + 1) * stride;
    const std::uint8_t* from = image.row(static_cast<int>(y));
    if ((height - 1 - y) * image.stride() < kSpill) {
      std::memcpy(work.bytes.data(), from, image.stride());
      from = work.bytes.data();
    }
    words_from_rgb(row + 1, from, width);
    row[0] = row[1];
    row[width + 1] = row[width];
  }
  std::uint32_t* first = work.source.data();
  std::memcpy(first, first + stride, stride * sizeof *first);
  std::memcpy(first + (height + 1) * stride, first + height * stride, stride * sizeof *first);
  return stride;
}

/// A coordinate with 40 fractional bits: sums of a few thousand terms are still exact to far below the 25
/// bits that the blocks keep.
std::int64_t fixed(double coordinate) {
  return static_cast<std::int64_t>(coordinate * 0x1p40);
}

std::int32_t whole_of(std::int64_t coordinate) {
  return static_cast<std::int32_t>(coordinate >> 40);
}
std::int32_t part_of(std::int64_t coordinate) {
  return static_cast<std::int32_t>((coordinate >> (40 - kFractionBits)) & ((1 << kFractionBits) - 1));
}

/// Fills work.starts, row by row.
void place_blocks(const Image& image, const AffineMatrix& m, std::size_t blocks, Work& work) {
  work.starts.resize(blocks * static_cast<std::size_t>(image.height));
  Start* start = work.starts.data();
  std::int64_t left = fixed(0.5 * (m[0] + m[1]) + m[2] - 0.5),
               upper = fixed(0.5 * (m[3] + m[4]) + m[5] - 0.5);
  const std::int64_t right = fixed(kLanes * m[0]), right_down = fixed(kLanes * m[3]);
  const std::int64_t down_right = fixed(m[1]), down = fixed(m[4]);
  for (int y = 0; y < image.height; ++y, left += down_right, upper += down) {
    std::int64_t u = left, v = upper;
    for (std::size_t block = 0; block < blocks; ++block, u += right, v += right_down)
      *start++ = {whole_of(u), whole_of(v), part_of(u), part_of(v)};
  }
}

Lanes steps(double factor) {
  const std::int64_t one = fixed(factor), half_unit = std::int64_t{1} << (39 - kFractionBits);
  Lanes result;
  for (std::int64_t k = 0; k < kLanes; ++k)
    result[static_cast<std::size_t>(k)] =
        static_cast<std::int32_t>((k * one + half_unit) >> (40 - kFractionBits));
  return result;
}

}  // namespace

bool is_bilinear_rgb(const Image& image, const AffineMatrix& m) {
  if (image.channels != 3 || image.pixels.empty() || image.width > 2048 || image.height > 2048) return false;
  const auto below = [&](std::size_t first, std::size_t second, double limit) {
    return std::abs(m[first]) < limit && std::abs(m[second]) < limit;
  };
  return below(0, 3, 4) && below(1, 4, 64) && below(2, 5, 16384);
}

namespace {

/// Copies a row of words to `out`. The copy runs over its end by up to 13 bytes: into rows that are written
/// later, or else into `spare`.
void store_row(Image& out, int y, const std::uint32_t* words, std::uint8_t* spare) {
  const auto width = static_cast<std::size_t>(out.width);
  const bool room = static_cast<std::size_t>(out.height - 1 - y) * out.stride() >= kSpill;
  rgb_from_words(room ? out.row(y) : spare, words, width);
  if (!room) std::memcpy(out.row(y), spare, out.stride());
}

/// The steps one after the other for the whole image, each a loop that the compiler vectorises.
void sample_in_steps(const Image& image, Image& out, const AffineMatrix& m, const Source& source,
                     Work& work) {
  const std::size_t padded = rounded_up(image.width), all = padded * static_cast<std::size_t>(image.height);
  for (auto* list : {&work.at, &work.inside, &work.edge, &work.doubts}) list->resize(all);
  for (auto* list : {&work.dx, &work.dy}) list->resize(all);
  work.upper.resize(2 * all);
  work.lower.resize(2 * all);
  work.words.resize(all);
  locate(work.at.data(), work.inside.data(), work.edge.data(), work.dx.data(), work.dy.data(), source,
         work.starts.data(), work.starts.size());
  gather(work.upper.data(), work.lower.data(), work.at.data(), source, all);
  for (int y = 0; y < image.height; ++y) {
    const std::size_t row = static_cast<std::size_t>(y) * padded;
    std::int32_t doubtful = 0;
    interpolate(work.words.data() + row, work.doubts.data() + row, &doubtful, work.upper.data() + 2 * row,
                work.lower.data() + 2 * row, work.dx.data() + row, work.dy.data() + row,
                work.inside.data() + row, work.edge.data() + row, padded);
    store_row(out, y, work.words.data() + row, work.bytes.data());
    if (doubtful == 0) continue;
    for (int x = 0; x < image.width; ++x)
      if (work.doubts[row + static_cast<std::size_t>(x)] != 0) affine_row_exact(image, out, m, y, x, x + 1);
  }
}

#if defined(__x86_64__)
void sample_in_registers(const Image& image, Image& out, const AffineMatrix& m, const Source& source,
                         Work& work) {
  const std::size_t blocks = rounded_up(image.width) / kLanes;
  work.words.resize(blocks * kLanes);
  work.doubtful_bits.resize(blocks);
  for (int y = 0; y < image.height; ++y) {
    const Start* starts = work.starts.data() + static_cast<std::size_t>(y) * blocks;
    const bool doubtful =
        sample_row_avx512(work.words.data(), work.doubtful_bits.data(), source, starts, blocks);
    store_row(out, y, work.words.data(), work.bytes.data());
    if (!doubtful) continue;
    for (int x = 0; x < image.width; ++x)
      if ((work.doubtful_bits[static_cast<std::size_t>(x / kLanes)] >> (x % kLanes) & 1) != 0)
        affine_row_exact(image, out, m, y, x, x + 1);
  }
}
#endif

}  // namespace

void bilinear_rgb(const Image& image, Image& out, const AffineMatrix& m) {
  thread_local Work work;
  const std::size_t stride = load_source(image, work);
  const Source source{work.source.data(), static_cast<std::int32_t>(stride),
                      image.width,        image.height,
                      steps(m[0]),        steps(m[3])};
  place_blocks(image, m, rounded_up(image.width) / kLanes, work);
#if defined(__x86_64__)
  if (cpu::active_isa() >= cpu::Isa::avx512) return sample_in_registers(image, out, m, source, work);
#endif
  sample_in_steps(image, out, m, source, work);
}

}  // namespace noisymix
