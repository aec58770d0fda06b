// Weight gradient of a bf16 convolution: for every tap a matrix product of dy and x summed over pixels and
// images. 32 images form the depth of a tile, so a tap outside the map is a step left out, and strides,
// paddings and sizes of maps make no difference.
//
// dweight [o, tap, c] is cut into ranges of output and input channels and the pixels into splits; one task
// sums one split of one range into a partial result of its own, and the partial results are added in order.
// Neither cut depends on the thread count, so neither do the bits of the sum.
#include <algorithm>
#include <bit>

#include "engine/cpu/aligned.h"
#include "engine/cpu/conv_bf16.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/packed_tiles.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kImages = kTileDepth, kWords = kImages / 2;  // of a step; a word holds two images
constexpr std::int64_t kRange = 128;                // channels of a range: 9 taps of sums then take 590 KiB
constexpr std::int64_t kBlockNumbers = 448 * 1024;  // of x and dy at a time, so that all stays in L2
constexpr std::int64_t kTasks = 8;

constexpr std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return chunk_count(value, step) * step;
}

/// Channels [begin, begin + count) of all those of a map, padded to whole tiles.
struct Range {
  std::int64_t begin, count, padded;
  Range(std::int64_t first, std::int64_t total, std::int64_t ranges, std::int64_t index)
      : begin(even_part(total, ranges, index)),
        count(even_part(total, ranges, index + 1) - begin),
        padded(round_up(count, kTileColumns)) {
    begin += first;
  }
};

/// How the work of one group is cut.
struct Plan {
  std::int64_t o_ranges, c_ranges, rows, row_blocks, units, splits, partial;

  explicit Plan(const ConvShape& s) {
    o_ranges = chunk_count(s.group_o(), kRange);
    c_ranges = chunk_count(s.group_c(), kRange);
    const std::int64_t o = round_up(chunk_count(s.group_o(), o_ranges), kTileRows),
                       c = round_up(chunk_count(s.group_c(), c_ranges), kTileColumns);
    const std::int64_t halo = s.dilation_h * (s.kh - 1) * s.w * c * kImages;
    const std::int64_t row = (s.wo * o + s.stride_h * s.w * c) * kImages;
    rows = std::clamp<std::int64_t>((kBlockNumbers - halo) / std::max<std::int64_t>(row, 1), 1,
                                    std::max<std::int64_t>(s.ho, 1));
    row_blocks = chunk_count(s.ho, rows);
    units = chunk_count(s.n, kImages) * row_blocks;
    splits = std::clamp<std::int64_t>(chunk_count(kTasks, o_ranges * c_ranges), 1,
                                      std::max<std::int64_t>(units, 1));
    partial = s.kh * s.kw * o * c;
  }
};

/// Output rows [row, row + rows) of 32 images from `image` on, and the input rows their taps read.
struct Unit {
  std::int64_t image, images, row, rows, top, bottom;

  Unit(const ConvShape& s, const Plan& plan, std::int64_t index) {
    image = index / plan.row_blocks * kImages;
    images = std::min(kImages, s.n - image);
    row = index % plan.row_blocks * plan.rows;
    rows = std::min(plan.rows, s.ho - row);
    top = std::clamp<std::int64_t>(row * s.stride_h - s.padding_h, 0, s.h);
    bottom = std::clamp<std::int64_t>(
        (row + rows - 1) * s.stride_h - s.padding_h + s.dilation_h * (s.kh - 1) + 1, top, s.h);
  }
};

constexpr std::uint16_t kZeros[kRange] = {};  // the numbers of images past the last one

/// Joins the numbers at `at` of images 2 * pair and 2 * pair + 1 of a unit, in maps of `size` numbers.
void join_pair(const TileKernels& kernels, const Unit& unit, const std::uint16_t* at, std::int64_t size,
               std::int64_t pair, std::int64_t count, std::uint32_t* words) {
  const auto image = [&](std::int64_t i) { return i < unit.images ? at + (unit.image + i) * size : kZeros; };
  kernels.join(image(2 * pair), image(2 * pair + 1), count, words);
}

/// sums[j] += the numbers in column j of `pairs` rows of words, both halves; n at most kRange.
NM_VECTORISED(add_columns,
              (const std::uint32_t* words, std::int64_t pairs, std::int64_t stride, std::int64_t n,
               double* sums),
              (words, pairs, stride, n, sums)) {
  float row[kRange] = {};
  for (std::int64_t p = 0; p < pairs; ++p, words += stride)
    for (std::int64_t j = 0; j < n; ++j)
      row[j] += std::bit_cast<float>(words[j] << 16) + std::bit_cast<float>(words[j] & 0xFFFF0000u);
  for (std::int64_t j = 0; j < n; ++j) sums[j] += static_cast<double>(row[j]);
}

/// Both operands of one unit and range, arranged as tiles.
struct Operands {
  AlignedVector<std::uint32_t> dy;  // [o padded][pixels of the unit][16]
  AlignedVector<std::uint32_t> x;   // [input rows * w][16][c padded]
  std::vector<std::int64_t> dy_offsets, x_offsets;

  /// Words between output channels: one cache line more than the pixels take, for at a power of two the 16
  /// rows of a tile would all fall into the same set of the cache.
  static std::int64_t distance(std::int64_t pixels) { return (pixels + 1) * kWords; }

  /// Adds dy up into `bias` [o.count] on the way, unless it is null.
  void load_dy(const TileKernels& kernels, const ConvShape& s, const Unit& unit, const Range& o,
               const std::uint16_t* source, double* bias);
  void load_x(const TileKernels& kernels, const ConvShape& s, const Unit& unit, const Range& c,
              const std::uint16_t* source);
  void list_steps(const ConvShape& s, const Unit& unit, const Range& c, std::int64_t r, std::int64_t q);
};

void Operands::load_dy(const TileKernels& kernels, const ConvShape& s, const Unit& unit, const Range& o,
                       const std::uint16_t* source, double* bias) {
  const std::int64_t pixels = unit.rows * s.wo, step = distance(pixels);
  dy.resize(static_cast<std::size_t>(o.padded * step));
  alignas(64) std::uint32_t joined[kWords * kRange] = {};
  for (std::int64_t p = 0; p < pixels; ++p) {
    const std::uint16_t* at = source + (unit.row * s.wo + p) * s.o + o.begin;
    for (std::int64_t pair = 0; pair < kWords; ++pair)
      join_pair(kernels, unit, at, s.ho * s.wo * s.o, pair, o.count, joined + pair * o.padded);
    if (bias != nullptr) add_columns(joined, kWords, o.padded, o.count, bias);
    for (std::int64_t first = 0; first < o.padded; first += kTileRows)
      kernels.transpose_16x16(joined + first, o.padded, dy.data() + first * step + p * kWords, step);
  }
}

void Operands::load_x(const TileKernels& kernels, const ConvShape& s, const Unit& unit, const Range& c,
                      const std::uint16_t* source) {
  const std::int64_t pixels = (unit.bottom - unit.top) * s.w;
  x.resize(static_cast<std::size_t>(pixels * kWords * c.padded));
  for (std::int64_t p = 0; p < pixels; ++p) {
    const std::uint16_t* at = source + (unit.top * s.w + p) * s.c + c.begin;
    for (std::int64_t pair = 0; pair < kWords; ++pair) {
      std::uint32_t* words = x.data() + (p * kWords + pair) * c.padded;
      join_pair(kernels, unit, at, s.h * s.w * s.c, pair, c.count, words);
      std::fill(words + c.count, words + c.padded, 0u);
    }
  }
}

/// The pixels for which tap (r, q) reads inside the map.
void Operands::list_steps(const ConvShape& s, const Unit& unit, const Range& c, std::int64_t r,
                          std::int64_t q) {
  dy_offsets.clear(), x_offsets.clear();
  for (std::int64_t i = 0; i < unit.rows; ++i) {
    const std::int64_t h = (unit.row + i) * s.stride_h + r * s.dilation_h - s.padding_h;
    if (h < 0 || h >= s.h) continue;
    for (std::int64_t j = 0; j < s.wo; ++j) {
      const std::int64_t w = j * s.stride_w + q * s.dilation_w - s.padding_w;
      if (w < 0 || w >= s.w) continue;
      dy_offsets.push_back((i * s.wo + j) * kImages);
      x_offsets.push_back(((h - unit.top) * s.w + w) * kImages * c.padded);
    }
  }
}

/// sums [o padded][c padded] += the products of one tap.
void add_tap(const TileKernels& kernels, const Operands& operands, const Range& o, const Range& c,
             std::int64_t pixels, float* sums) {
  TileProduct product{};
  product.a_offsets = operands.dy_offsets.data();
  product.b_offsets = operands.x_offsets.data();
  product.a_stride = 2 * Operands::distance(pixels);
  product.b_stride = 2 * c.padded;
  product.steps = static_cast<std::int64_t>(operands.dy_offsets.size());
  product.c_stride = c.padded;
  product.accumulate = true;
  const auto* dy = reinterpret_cast<const std::uint16_t*>(operands.dy.data());
  const auto* x = reinterpret_cast<const std::uint16_t*>(operands.x.data());
  for (std::int64_t i = 0; i < o.padded; i += 2 * kTileRows) {
    const int rows = i + kTileRows < o.padded ? 2 : 1;
    for (int t = 0; t < rows; ++t) product.a[t] = dy + (i + t * kTileRows) * product.a_stride;
    for (std::int64_t j = 0; j < c.padded; j += 2 * kTileColumns) {
      const int columns = j + kTileColumns < c.padded ? 2 : 1;
      for (int u = 0; u < columns; ++u) product.b[u] = x + 2 * (j + u * kTileColumns);
      product.c = sums + i * c.padded + j;
      kernels.product[rows][columns](product);
    }
  }
}

/// Sums units [first, last) of one range into `partial` [tap][o padded][c padded], and dy into `bias`
/// [o.count] unless it is null.
void sum_units(const ConvShape& s, const Plan& plan, const std::uint16_t* x, const std::uint16_t* dy,
               std::int64_t first, std::int64_t last, const Range& o, const Range& c, float* partial,
               double* bias) {
  thread_local Operands operands;
  const TileSession session;
  std::fill_n(partial, s.kh * s.kw * o.padded * c.padded, 0.0f);
  for (std::int64_t index = first; index < last; ++index) {
    const Unit unit(s, plan, index);
    operands.load_dy(session.kernels(), s, unit, o, dy, bias);
    operands.load_x(session.kernels(), s, unit, c, x);
    for (std::int64_t r = 0; r < s.kh; ++r)
      for (std::int64_t q = 0; q < s.kw; ++q) {
        operands.list_steps(s, unit, c, r, q);
        if (operands.dy_offsets.empty()) continue;
        add_tap(session.kernels(), operands, o, c, unit.rows * s.wo,
                partial + (r * s.kw + q) * o.padded * c.padded);
      }
  }
}

/// dweight = sum of the splits' partial results, in order, for one range.
template <typename W>
void add_partials(const ConvShape& s, const Plan& plan, const Range& o, const Range& c, std::int64_t first_c,
                  const float* partials, std::int64_t distance, W* dweight) {
  const std::int64_t taps = s.kh * s.kw;
  parallel_for(o.count, 4, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i)
      for (std::int64_t tap = 0; tap < taps; ++tap) {
        W* row = dweight + ((o.begin + i) * taps + tap) * s.group_c() + c.begin - first_c;
        const float* sums = partials + (tap * o.padded + i) * c.padded;
        for (std::int64_t j = 0; j < c.count; ++j) {
          float total = 0;
          for (std::int64_t split = 0; split < plan.splits; ++split) total += sums[split * distance + j];
          row[j] = W(total);
        }
      }
  });
}

}  // namespace

template <typename W>
void conv2d_weight_grad_bf16(const ConvShape& s, const bfloat16* x, const bfloat16* dy, W* dweight,
                             double* dbias) {
  const auto* inputs = reinterpret_cast<const std::uint16_t*>(x);
  const auto* grads = reinterpret_cast<const std::uint16_t*>(dy);
  const Plan plan(s);
  const std::int64_t ranges = plan.o_ranges * plan.c_ranges, distance = ranges * plan.partial;
  Tensor storage = Tensor::empty(Shape{plan.splits * distance});
  float* const partials = storage.mutable_data<float>();
  std::vector<double> bias(static_cast<std::size_t>(dbias == nullptr ? 0 : plan.splits * s.o), 0.0);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const std::int64_t first_o = group * s.group_o(), first_c = group * s.group_c();
    const auto o_range = [&](std::int64_t i) {
      return Range(first_o, s.group_o(), plan.o_ranges, i / plan.c_ranges);
    };
    const auto c_range = [&](std::int64_t i) {
      return Range(first_c, s.group_c(), plan.c_ranges, i % plan.c_ranges);
    };
    parallel_for(plan.splits * ranges, 1, [&](std::int64_t task, std::int64_t) {
      const std::int64_t split = task / ranges, i = task % ranges;
      const bool sums_bias = dbias != nullptr && i % plan.c_ranges == 0;  // once per range of output channels
      sum_units(s, plan, inputs, grads, even_part(plan.units, plan.splits, split),
                even_part(plan.units, plan.splits, split + 1), o_range(i), c_range(i),
                partials + split * distance + i * plan.partial,
                sums_bias ? bias.data() + split * s.o + o_range(i).begin : nullptr);
    });
    for (std::int64_t i = 0; i < ranges; ++i)
      add_partials(s, plan, o_range(i), c_range(i), first_c, partials + i * plan.partial, distance, dweight);
  }
  if (dbias != nullptr) std::fill_n(dbias, s.o, 0.0);
  for (std::size_t j = 0; j < bias.size(); ++j) dbias[j % static_cast<std::size_t>(s.o)] += bias[j];
}

template <typename W>
void gemm_transposed_bf16(std::int64_t m, std::int64_t n, std::int64_t k, const bfloat16* a,
                          const bfloat16* b, W* c) {
  conv2d_weight_grad_bf16(ConvShape{k, 1, 1, n, m, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1}, b, a, c, nullptr);
}

template void conv2d_weight_grad_bf16(const ConvShape&, const bfloat16*, const bfloat16*, float*, double*);
template void conv2d_weight_grad_bf16(const ConvShape&, const bfloat16*, const bfloat16*, bfloat16*, double*);
template void gemm_transposed_bf16(std::int64_t, std::int64_t, std::int64_t, const bfloat16*, const bfloat16*,
                                   float*);
template void gemm_transposed_bf16(std::int64_t, std::int64_t, std::int64_t, const bfloat16*, const bfloat16*,
                                   bfloat16*);

}  // namespace noisymix::cpu
