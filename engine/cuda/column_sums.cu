#include "engine/cuda/column_sums.h"

#include <algorithm>

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

constexpr int kRows = 8;  // of threads in a block

/// partial[block, column] = sum of the block's rows.
template <typename T>
__global__ void partial_kernel(const T* x, sum_t<T>* partial, std::int64_t rows, std::int64_t columns,
                               std::int64_t rows_per_block) {
  __shared__ sum_t<T> sums[kRows][kWarp];
  const std::int64_t column = static_cast<std::int64_t>(blockIdx.y) * kWarp + threadIdx.x;
  const std::int64_t begin = static_cast<std::int64_t>(blockIdx.x) * rows_per_block;
  const std::int64_t end = begin + rows_per_block < rows ? begin + rows_per_block : rows;
  sum_t<T> sum = 0;
  if (column < columns)
    for (std::int64_t r = begin + threadIdx.y; r < end; r += kRows)
      sum += static_cast<sum_t<T>>(value_of(x[r * columns + column]));
  sums[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || column >= columns) return;
  for (int i = 1; i < kRows; ++i) sum += sums[i][threadIdx.x];
  partial[static_cast<std::int64_t>(blockIdx.x) * columns + column] = sum;
}

template <typename S, typename T>
__global__ void join_kernel(const S* partial, T* sums, std::int64_t blocks, std::int64_t columns) {
  NM_FOR_EACH(column, columns) {
    double total = 0;
    for (std::int64_t b = 0; b < blocks; ++b) total += static_cast<double>(partial[b * columns + column]);
    sums[column] = convert_value<T>(static_cast<compute_t<T>>(total));
  }
}

}  // namespace

Tensor column_sums(const Tensor& x, std::int64_t rows, std::int64_t columns, Dtype dtype) {
  Tensor sums = Tensor::empty({columns}, dtype, x.device());
  const std::int64_t per_block = std::max<std::int64_t>(64, (rows + 511) / 512);
  const std::int64_t blocks = (rows + per_block - 1) / per_block;
  dispatch_floating("column_sums", x.dtype(), [&]<typename T>() {
    using S = sum_t<T>;
    Tensor partial = Tensor::empty({std::max<std::int64_t>(blocks, 1), columns}, dtype_of<S>(), x.device());
    const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>((columns + kWarp - 1) / kWarp));
    launch(partial_kernel<T>, grid, dim3(kWarp, kRows), x.data<T>(), partial.mutable_data<S>(), rows, columns,
           per_block);
    const auto join = [&]<typename To>() {
      launch(join_kernel<S, To>, blocks_for(columns), kBlock, static_cast<const S*>(partial.data<S>()),
             sums.mutable_data<To>(), blocks, columns);
    };
    if (dtype == x.dtype())
      join.template operator()<T>();
    else
      join.template operator()<float>();
  });
  return sums;
}

}  // namespace noisymix::cuda
