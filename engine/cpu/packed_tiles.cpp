#include "engine/cpu/packed_tiles.h"

#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kPairs = kTileDepth / 2;

/// to[i] = the bits of from[i] rounded to bf16.
NM_VECTORISED(round_f32, (const float* NM_RESTRICT from, std::int64_t n, bfloat16* NM_RESTRICT to),
              (from, n, to)) {
  for (std::int64_t i = 0; i < n; ++i) to[i] = bfloat16(from[i]);
}

void round_run(const float* from, std::int64_t n, bfloat16* to) {
  round_f32(from, n, to);
}
void round_run(const bfloat16* from, std::int64_t n, bfloat16* to) {
  std::copy_n(from, n, to);
}

/// The numbers of one tile as they lie in the source.
template <typename W>
struct Corner {
  const W* source;
  const std::int64_t* rows;  // 32 of them
  std::int64_t columns;      // real ones, 1 to 16
  std::int64_t row_stride, column_stride;
};

/// Rows that follow each other in memory: each column is one run of 32 numbers, so the words of a tile are
/// the transpose of what is read.
template <typename W>
void pack_runs(const Corner<W>& corner, std::uint32_t* tile) {
  alignas(64) bfloat16 runs[kTileColumns * kTileDepth] = {};
  const W* first = corner.source + corner.rows[0] * corner.row_stride;
  for (std::int64_t j = 0; j < corner.columns; ++j)
    round_run(first + j * corner.column_stride, kTileDepth, runs + j * kTileDepth);
  tile_kernels().transpose_16x16(reinterpret_cast<const std::uint32_t*>(runs), kPairs, tile, kTileColumns);
}

/// Columns that follow each other in memory: each pair of rows makes one row of words.
template <typename W>
void pack_rows(const Corner<W>& corner, std::uint32_t* tile) {
  for (std::int64_t p = 0; p < kPairs; ++p) {
    alignas(64) bfloat16 pair[2][kTileColumns] = {};
    for (int half = 0; half < 2; ++half) {
      const std::int64_t row = corner.rows[2 * p + half];
      if (row >= 0) round_run(corner.source + row * corner.row_stride, corner.columns, pair[half]);
    }
    tile_kernels().join(reinterpret_cast<const std::uint16_t*>(pair[0]),
                        reinterpret_cast<const std::uint16_t*>(pair[1]), kTileColumns,
                        tile + p * kTileColumns);
  }
}

/// Any other arrangement, number by number.
template <typename W>
void pack_numbers(const Corner<W>& corner, bfloat16* tile) {
  for (std::int64_t j = 0; j < kTileColumns; ++j)
    for (std::int64_t k = 0; k < kTileDepth; ++k) {
      const bool exists = j < corner.columns && corner.rows[k] >= 0;
      const W* number = corner.source + corner.rows[k] * corner.row_stride + j * corner.column_stride;
      tile[k / 2 * 2 * kTileColumns + 2 * j + k % 2] =
          exists ? bfloat16(static_cast<float>(*number)) : bfloat16(0.0f);
    }
}

template <typename W>
void pack_tile(const Corner<W>& corner, bfloat16* tile) {
  const std::int64_t* rows = corner.rows;
  bool consecutive = corner.row_stride == 1 && rows[0] >= 0;
  for (std::int64_t k = 1; consecutive && k < kTileDepth; ++k) consecutive = rows[k] == rows[0] + k;
  if (consecutive)
    pack_runs(corner, reinterpret_cast<std::uint32_t*>(tile));
  else if (corner.column_stride == 1)
    pack_rows(corner, reinterpret_cast<std::uint32_t*>(tile));
  else
    pack_numbers(corner, tile);
}

}  // namespace

template <typename W>
PackedTiles::PackedTiles(const W* source, const std::vector<std::int64_t>& rows, std::int64_t columns,
                         std::int64_t row_stride, std::int64_t column_stride)
    : columns_(columns),
      tiles_(chunk_count(columns, kTileColumns)),
      steps_(static_cast<std::int64_t>(rows.size()) / kTileDepth),
      storage_(Tensor::empty(Shape{tiles_ * steps_ * kTileNumbers}, Dtype::bf16)) {
  bfloat16* const target = storage_.mutable_data<bfloat16>();
  parallel_for(tiles_ * steps_, 64, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t at = begin; at < end; ++at) {
      const std::int64_t first = at / steps_ * kTileColumns;
      pack_tile(Corner<W>{source + first * column_stride, rows.data() + at % steps_ * kTileDepth,
                          std::min(kTileColumns, columns_ - first), row_stride, column_stride},
                target + at * kTileNumbers);
    }
  });
}

template PackedTiles::PackedTiles(const float*, const std::vector<std::int64_t>&, std::int64_t, std::int64_t,
                                  std::int64_t);
template PackedTiles::PackedTiles(const bfloat16*, const std::vector<std::int64_t>&, std::int64_t,
                                  std::int64_t, std::int64_t);

}  // namespace noisymix::cpu
