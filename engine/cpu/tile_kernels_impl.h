// Bodies of the tile kernels over a vector type. Included by exactly one file per instruction set, after it
// has defined `Vector` with: `type` (floats), `words` (as many 32-bit words), `lanes`, `rows` (how many rows
// of sums fit into the registers), and load, store, zero, load_words, broadcast_word,
// multiply_add_pairs(a, b, sum): sum + both bf16 products of each lane, the even one first.
// Everything is local to that file.
#pragma once

#include "engine/cpu/tile_kernels.h"

#if defined(__clang__)
#define NM_UNROLL _Pragma("unroll")
#else
#define NM_UNROLL _Pragma("GCC unroll 16")
#endif

namespace noisymix::cpu {
namespace {

/// Rows [first, first + Rows) of one 16 x 16 result.
template <int Rows>
void add_tile_rows(const TileProduct& p, int row_tile, int column_tile, int first, int vector) {
  constexpr int lanes = Vector::lanes;
  typename Vector::type sum[Rows];
  float* c = p.c + (row_tile * kTileRows + first) * p.c_stride + column_tile * kTileColumns + vector * lanes;
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    sum[i] = p.accumulate ? Vector::load(c + i * p.c_stride) : Vector::zero();
  }
  for (std::int64_t k = 0; k < p.steps; ++k) {
    const std::uint16_t* a = p.a[row_tile] + p.a_offsets[k] + first * p.a_stride;
    const std::uint16_t* b = p.b[column_tile] + p.b_offsets[k] + vector * lanes * 2;
    for (int pair = 0; pair < kTileDepth / 2; ++pair, a += 2, b += p.b_stride) {
      const typename Vector::words right = Vector::load_words(b);
      NM_UNROLL for (int i = 0; i < Rows; ++i) {
        sum[i] = Vector::multiply_add_pairs(Vector::broadcast_word(a + i * p.a_stride), right, sum[i]);
      }
    }
  }
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    Vector::store(c + i * p.c_stride, sum[i]);
  }
}

template <int RowTiles, int ColumnTiles>
void tile_product(const TileProduct& p) {
  static_assert(kTileRows % Vector::rows == 0);
  for (int t = 0; t < RowTiles; ++t)
    for (int u = 0; u < ColumnTiles; ++u)
      for (int vector = 0; vector < kTileColumns / Vector::lanes; ++vector)
        for (int first = 0; first < kTileRows; first += Vector::rows)
          add_tile_rows<Vector::rows>(p, t, u, first, vector);
}

/// Independent sums, so that no product waits for the one before.
std::int64_t spin(std::int64_t rounds, float* out) {
  constexpr int kSums = Vector::rows < 12 ? Vector::rows : 12;
  typename Vector::type sum[kSums];
  NM_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = Vector::load(out);
  const auto factor = Vector::load_words(reinterpret_cast<const std::uint16_t*>(out));
  for (std::int64_t r = 0; r < rounds; ++r) {
    NM_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = Vector::multiply_add_pairs(factor, factor, sum[i]);
  }
  NM_UNROLL for (int i = 0; i < kSums; ++i) Vector::store(out + i * Vector::lanes, sum[i]);
  return rounds * kSums * Vector::lanes * 4;
}

void no_preparation() {}

/// The table of this file's products with the given helpers.
constexpr TileKernels make_tile_table(decltype(TileKernels::transpose_16x16) transpose,
                                      decltype(TileKernels::join) join,
                                      decltype(TileKernels::round_rows) round) {
  return {{{},
           {nullptr, tile_product<1, 1>, tile_product<1, 2>},
           {nullptr, tile_product<2, 1>, tile_product<2, 2>}},
          no_preparation,
          no_preparation,
          transpose,
          join,
          round,
          spin};
}

[[maybe_unused]] void transpose_plain(const std::uint32_t* from, std::int64_t from_stride, std::uint32_t* to,
                                      std::int64_t to_stride) {
  for (int i = 0; i < 16; ++i)
    for (int j = 0; j < 16; ++j) to[j * to_stride + i] = from[i * from_stride + j];
}

[[maybe_unused]] void round_rows_plain(const float* sums, std::int64_t rows, std::uint16_t* y,
                                       std::int64_t distance) {
  for (std::int64_t i = 0; i < rows; ++i)
    for (std::int64_t j = 0; j < 2 * kTileColumns; ++j) {
      std::uint32_t bits;
      __builtin_memcpy(&bits, sums + i * 2 * kTileColumns + j, sizeof bits);
      const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16,
                          quiet = (bits >> 16) | 0x40u;
      y[i * distance + j] = static_cast<std::uint16_t>((bits & 0x7FFFFFFFu) > 0x7F800000u ? quiet : rounded);
    }
}

[[maybe_unused]] void join_plain(const std::uint16_t* low, const std::uint16_t* high, std::int64_t n,
                                 std::uint32_t* words) {
  for (std::int64_t j = 0; j < n; ++j)
    words[j] = static_cast<std::uint32_t>(low[j]) | (static_cast<std::uint32_t>(high[j]) << 16);
}

}  // namespace
}  // namespace noisymix::cpu
