// The right-hand matrix of a bf16 product, rounded and rearranged into tiles.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/tile_kernels.h"
#include "engine/tensor.h"

namespace noisymix::cpu {

/// Columns of 16, each a sequence of steps of 32 rows stored as tiles; see tile_kernels.h. Missing rows and
/// columns are zeros.
class PackedTiles {
 public:
  /// Element (i, j) is source[rows[i] * row_stride + j * column_stride], or 0 where rows[i] is negative; W is
  /// float or bfloat16. The count of rows is a multiple of 32. Packs in parallel.
  template <typename W>
  PackedTiles(const W* source, const std::vector<std::int64_t>& rows, std::int64_t columns,
              std::int64_t row_stride, std::int64_t column_stride);

  std::int64_t tiles() const { return tiles_; }
  std::int64_t columns() const { return columns_; }
  /// All steps of one column of tiles; step k starts k * kTileNumbers later.
  const std::uint16_t* data(std::int64_t tile) const {
    return reinterpret_cast<const std::uint16_t*>(storage_.raw()) + tile * steps_ * kTileNumbers;
  }

 private:
  std::int64_t columns_, tiles_, steps_;
  Tensor storage_;
};

/// Prepares the matrix unit for this thread while alive.
class TileSession {
 public:
  TileSession() : kernels_(tile_kernels()) { kernels_.begin(); }
  ~TileSession() { kernels_.end(); }
  TileSession(const TileSession&) = delete;
  TileSession& operator=(const TileSession&) = delete;
  const TileKernels& kernels() const { return kernels_; }

 private:
  const TileKernels& kernels_;
};

}  // namespace noisymix::cpu
