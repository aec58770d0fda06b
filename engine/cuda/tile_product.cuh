// Matrix products whose operands are read through functions: the convolutions and products that no library
// computes (f64, or a machine without cuDNN), and the reference for those that one does.
#pragma once

#include <algorithm>

#include "engine/cuda/launch.h"
#include "engine/tensor.h"

namespace noisymix::cuda {

constexpr int kTile = 64;   // rows and columns of a block's tile
constexpr int kDepth = 16;  // products held in shared memory at a time
constexpr int kEach = 4;    // rows and columns of a thread

/// Sizes of a product c [rows, cols] = a [rows, depth] * b [depth, cols], its depth cut into parts of `part`
/// that are computed by different blocks.
struct TileSizes {
  std::int64_t rows, cols, depth, part, parts;
};

/// One block of 256 threads computes kTile x kTile elements of c over one part of the depth: a(row, k), b(k,
/// col) and c(row, col, part, value) are functions on the device.
template <typename Sum, typename A, typename B, typename C>
__global__ void tile_product_kernel(A a, B b, C c, TileSizes s) {
  __shared__ Sum left[kDepth][kTile + 1];
  __shared__ Sum right[kDepth][kTile + 1];
  const int thread = threadIdx.x;
  const std::int64_t row0 = static_cast<std::int64_t>(blockIdx.x) * kTile,
                     col0 = static_cast<std::int64_t>(blockIdx.y) * kTile;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.z) * s.part;
  const std::int64_t end = begin + s.part < s.depth ? begin + s.part : s.depth;
  const int row = thread / 16 * kEach, col = thread % 16 * kEach;
  Sum total[kEach][kEach] = {};
  for (std::int64_t k0 = begin; k0 < end; k0 += kDepth) {
    for (int i = thread; i < kDepth * kTile; i += 256) {
      const std::int64_t ka = k0 + i % kDepth, r = row0 + i / kDepth;
      left[i % kDepth][i / kDepth] = r < s.rows && ka < end ? static_cast<Sum>(a(r, ka)) : Sum(0);
      const std::int64_t kb = k0 + i / kTile, q = col0 + i % kTile;
      right[i / kTile][i % kTile] = q < s.cols && kb < end ? static_cast<Sum>(b(kb, q)) : Sum(0);
    }
    __syncthreads();
    Sum sum[kEach][kEach] = {};  // of this tile alone: long sums in f32 stay accurate
#pragma unroll
    for (int k = 0; k < kDepth; ++k)
#pragma unroll
      for (int i = 0; i < kEach; ++i)
#pragma unroll
        for (int j = 0; j < kEach; ++j) sum[i][j] += left[k][row + i] * right[k][col + j];
#pragma unroll
    for (int i = 0; i < kEach; ++i)
#pragma unroll
      for (int j = 0; j < kEach; ++j) total[i][j] += sum[i][j];
    __syncthreads();
  }
  for (int i = 0; i < kEach; ++i)
    for (int j = 0; j < kEach; ++j)
      if (row0 + row + i < s.rows && col0 + col + j < s.cols)
        c(row0 + row + i, col0 + col + j, static_cast<std::int64_t>(blockIdx.z), total[i][j]);
}

/// Writes parts to [parts, rows, cols].
template <typename Sum>
struct StoreParts {
  Sum* to;
  std::int64_t rows, cols;
  __device__ void operator()(std::int64_t row, std::int64_t col, std::int64_t part, Sum value) const {
    to[(part * rows + row) * cols + col] = value;
  }
};

/// c(row, col, 0, sum of the parts), added up in double.
template <typename Sum, typename C>
__global__ void join_parts_kernel(const Sum* parts, C c, TileSizes s) {
  NM_FOR_EACH(i, s.rows * s.cols) {
    double total = 0;
    for (std::int64_t p = 0; p < s.parts; ++p) total += static_cast<double>(parts[p * s.rows * s.cols + i]);
    c(i / s.cols, i % s.cols, 0, static_cast<Sum>(total));
  }
}

/// The whole product. The depth is cut when rows and columns alone would leave most of the GPU idle, always
/// into the same parts for the same sizes, so that results do not depend on the GPU.
template <typename Sum, typename A, typename B, typename C>
void tile_product(std::int64_t rows, std::int64_t cols, std::int64_t depth, A a, B b, C c, Device device) {
  if (rows == 0 || cols == 0) return;
  const std::int64_t tiles = ((rows + kTile - 1) / kTile) * ((cols + kTile - 1) / kTile);
  const std::int64_t wanted = std::max<std::int64_t>(1, std::min<std::int64_t>(512 / tiles, depth / 256));
  const std::int64_t part =
      std::max<std::int64_t>(kDepth, ((depth + wanted - 1) / wanted + kDepth - 1) / kDepth * kDepth);
  const TileSizes s{rows, cols, depth, part, std::max<std::int64_t>(1, (depth + part - 1) / part)};
  const dim3 grid(static_cast<unsigned>((rows + kTile - 1) / kTile),
                  static_cast<unsigned>((cols + kTile - 1) / kTile), static_cast<unsigned>(s.parts));
  if (s.parts == 1) {
    launch(tile_product_kernel<Sum, A, B, C>, grid, dim3(256), a, b, c, s);
    return;
  }
  Tensor parts = Tensor::empty({s.parts, rows, cols}, dtype_of<Sum>(), device);
  const StoreParts<Sum> store{parts.mutable_data<Sum>(), rows, cols};
  launch(tile_product_kernel<Sum, A, B, StoreParts<Sum>>, grid, dim3(256), a, b, store, s);
  launch(join_parts_kernel<Sum, C>, blocks_for(rows * cols), kBlock, static_cast<const Sum*>(store.to), c, s);
}

}  // namespace noisymix::cuda
