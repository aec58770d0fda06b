// Tile kernels for AMX, the matrix unit of newer Xeons: 8 tile registers of 16 rows x 64 bytes. Compiled with
// that instruction set switched on: includes nothing that other files share.
#include <immintrin.h>

#include "engine/cpu/tile_kernels.h"

namespace noisymix::cpu {
namespace {

struct alignas(64) TileConfig {
  std::uint8_t palette, start_row, reserved[14];
  std::uint16_t row_bytes[16];
  std::uint8_t rows[16];
};

/// All eight registers as full tiles. Tiles 0-3 hold sums, 4-5 rows of A, 6-7 columns of B.
void begin_tiles() {
  TileConfig config = {};
  config.palette = 1;
  for (int i = 0; i < 8; ++i) {
    config.row_bytes[i] = 64;
    config.rows[i] = 16;
  }
  asm volatile("" : : "r"(&config) : "memory");  // gcc 12 believes that the next line reads only 8 bytes
  _tile_loadconfig(&config);
}

void end_tiles() {
  _tile_release();
}

// Tile numbers are part of the instruction, so they are template arguments and never variables.
template <int RowTiles, int ColumnTiles>
void tile_product(const TileProduct& p) {
  float* c = p.c;
  float* const lower = p.c + kTileRows * p.c_stride;
  const std::int64_t c_bytes = p.c_stride * 4, a_bytes = p.a_stride * 2, b_bytes = p.b_stride * 2;
  if (p.accumulate) {
    _tile_loadd(0, c, c_bytes);
    if constexpr (ColumnTiles == 2) _tile_loadd(1, c + kTileColumns, c_bytes);
    if constexpr (RowTiles == 2) _tile_loadd(2, lower, c_bytes);
    if constexpr (RowTiles == 2 && ColumnTiles == 2) _tile_loadd(3, lower + kTileColumns, c_bytes);
  } else {
    _tile_zero(0);
    if constexpr (ColumnTiles == 2) _tile_zero(1);
    if constexpr (RowTiles == 2) _tile_zero(2);
    if constexpr (RowTiles == 2 && ColumnTiles == 2) _tile_zero(3);
  }
  for (std::int64_t k = 0; k < p.steps; ++k) {
    const std::int64_t at_a = p.a_offsets[k], at_b = p.b_offsets[k];
    _tile_loadd(6, p.b[0] + at_b, b_bytes);
    _tile_loadd(4, p.a[0] + at_a, a_bytes);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (ColumnTiles == 2) {
      _tile_loadd(7, p.b[1] + at_b, b_bytes);
      _tile_dpbf16ps(1, 4, 7);
    }
    if constexpr (RowTiles == 2) {
      _tile_loadd(5, p.a[1] + at_a, a_bytes);
      _tile_dpbf16ps(2, 5, 6);
      if constexpr (ColumnTiles == 2) _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, c, c_bytes);
  if constexpr (ColumnTiles == 2) _tile_stored(1, c + kTileColumns, c_bytes);
  if constexpr (RowTiles == 2) _tile_stored(2, lower, c_bytes);
  if constexpr (RowTiles == 2 && ColumnTiles == 2) _tile_stored(3, lower + kTileColumns, c_bytes);
}

std::int64_t spin(std::int64_t rounds, float* out) {
  _tile_loadd(4, out, 64);
  _tile_loadd(6, out, 64);
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (std::int64_t r = 0; r < rounds; ++r) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 6);
    _tile_dpbf16ps(2, 4, 6);
    _tile_dpbf16ps(3, 4, 6);
  }
  _tile_stored(0, out, 64);
  return rounds * 4 * kTileRows * kTileColumns * kTileDepth * 2;
}

constexpr TileKernels kTable{{{},
                              {nullptr, tile_product<1, 1>, tile_product<1, 2>},
                              {nullptr, tile_product<2, 1>, tile_product<2, 2>}},
                             begin_tiles,
                             end_tiles,
                             transpose_16x16_avx512,
                             join_avx512,
                             round_rows_avx512_bf16,
                             spin};

}  // namespace

const TileKernels kAmxTiles = kTable;

}  // namespace noisymix::cpu
