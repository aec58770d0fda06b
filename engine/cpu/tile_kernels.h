// Inner kernels of bf16 matrix products and convolutions on tiles, one table per instruction set.
//
// A tile is what a matrix unit (AMX) works on: 16 rows of 32 bf16 numbers, 64 bytes each. One step multiplies
//   A [16 rows][32 deep]                          rows anywhere in memory at a constant stride
//   B [16 pairs of the depth][16 columns][2]      rows at a constant stride: row p holds depths 2p and 2p + 1
// into 16 x 16 sums in f32. Up to 2 x 2 such sums are kept in registers over all steps, so that every tile
// loaded is used twice. The other instruction sets compute the same product with ordinary vectors.
//
// This header is included by files compiled for newer processors; see micro_kernels.h for what that forbids.
#pragma once

#include <cstdint>

namespace noisymix::cpu {

/// Rows, columns and depth of a tile, and the bf16 numbers in one.
inline constexpr std::int64_t kTileRows = 16, kTileColumns = 16, kTileDepth = 32, kTileNumbers = 512;

/// c [row tiles * 16][column tiles * 16] = (or +=) sum over steps of A * B. Offsets and strides count bf16
/// numbers; numbers are the bits of bf16.
struct TileProduct {
  const std::uint16_t* a[2];  // one per row tile; row i of step k is at a[t] + a_offsets[k] + i * a_stride
  const std::int64_t* a_offsets;
  std::int64_t a_stride;
  const std::uint16_t* b[2];  // one per column tile; row p of step k is at b[u] + b_offsets[k] + p * b_stride
  const std::int64_t* b_offsets;
  std::int64_t b_stride;
  std::int64_t steps;
  float* c;
  std::int64_t c_stride;
  bool accumulate;
};
using TileKernel = void (*)(const TileProduct&);

struct TileKernels {
  TileKernel product[3][3];  // [row tiles][column tiles], each 1 or 2
  /// Called once by each thread before a run of products, and after it.
  void (*begin)();
  void (*end)();
  /// to[j * to_stride + i] = from[i * from_stride + j] for i, j in 0..15, of 32-bit words.
  void (*transpose_16x16)(const std::uint32_t* from, std::int64_t from_stride, std::uint32_t* to,
                          std::int64_t to_stride);
  /// words[j] = low[j] + (high[j] << 16) for j < n: two rows of numbers as one row of pairs.
  void (*join)(const std::uint16_t* low, const std::uint16_t* high, std::int64_t n, std::uint32_t* words);
  /// Rounds `rows` rows of 32 sums to bf16, to nearest even; NaN stays NaN. y holds rows `distance` numbers
  /// apart.
  void (*round_rows)(const float* sums, std::int64_t rows, std::uint16_t* y, std::int64_t distance);
  /// Multiplies and adds in registers only, `rounds` times; returns the operations done. For measuring the
  /// limit.
  std::int64_t (*spin)(std::int64_t rounds, float* out);
};

extern const TileKernels kPortableTiles;
#if defined(__x86_64__)
extern const TileKernels kAvx2Tiles;
extern const TileKernels kAvx512Tiles;
extern const TileKernels kAvx512Bf16Tiles;
extern const TileKernels kAmxTiles;
// Functions of the AVX-512 table that the newer ones share.
void join_avx512(const std::uint16_t* low, const std::uint16_t* high, std::int64_t n, std::uint32_t* words);
void transpose_16x16_avx512(const std::uint32_t* from, std::int64_t from_stride, std::uint32_t* to,
                            std::int64_t to_stride);
#endif

#if defined(__x86_64__)
/// With the conversion instruction, which takes numbers below 2^-126 for 0; for the tables that have it.
void round_rows_avx512_bf16(const float* sums, std::int64_t rows, std::uint16_t* y, std::int64_t distance);
#endif

/// The table for active_isa().
const TileKernels& tile_kernels();

}  // namespace noisymix::cpu
