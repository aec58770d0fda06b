#include "engine/cuda/launch.h"
#include "engine/ops/dropout.h"
#include "engine/philox.h"

namespace noisymix::cuda {
namespace {

__device__ inline std::uint32_t word_of(const std::uint64_t* key, std::int64_t i) {
  const std::uint64_t block = static_cast<std::uint64_t>(i / 4);
  std::uint32_t w[4];
  philox_block(*key, static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), w[0], w[1],
               w[2], w[3]);
  return w[i % 4];
}

/// A thread takes the four elements of a Philox block.
template <typename T>
__global__ void dropout_kernel(const T* x, T* y, const std::uint64_t* key, std::uint32_t threshold,
                               compute_t<T> scale, std::int64_t count) {
  NM_FOR_EACH(block, (count + 3) / 4) {
    std::uint32_t w[4];
    philox_block(*key, static_cast<std::uint32_t>(block),
                 static_cast<std::uint32_t>(static_cast<std::uint64_t>(block) >> 32), w[0], w[1], w[2], w[3]);
    if (4 * block + 4 <= count) {
      Pack<T, 4> values = load_pack<4>(x + 4 * block);
#pragma unroll
      for (int k = 0; k < 4; ++k)
        values.at[k] = T(w[k] >= threshold ? value_of(values.at[k]) * scale : compute_t<T>(0));
      store_pack<4>(y + 4 * block, values);
    } else {
      for (int k = 0; 4 * block + k < count; ++k)
        y[4 * block + k] = T(w[k] >= threshold ? value_of(x[4 * block + k]) * scale : compute_t<T>(0));
    }
  }
}

template <typename T>
__global__ void drop_path_kernel(const T* x, T* y, const std::uint64_t* key, std::uint32_t threshold,
                                 compute_t<T> scale, std::int64_t row, std::int64_t count) {
  NM_FOR_EACH(i, count)
  y[i] = T(word_of(key, i / row) >= threshold ? value_of(x[i]) * scale : compute_t<T>(0));
}

const std::uint64_t* key_of(const DropMask& mask) {
  return reinterpret_cast<const std::uint64_t*>(mask.words.raw());
}

}  // namespace

void dropout(const Tensor& x, Tensor& y, const DropMask& mask) {
  dispatch_floating("dropout", x.dtype(), [&]<typename T>() {
    // A view may begin at any element; its pack would not be aligned then.
    const Tensor from = packable(x.raw()) ? x : x.detach().clone();
    launch(dropout_kernel<T>, blocks_for((x.numel() + 3) / 4), kBlock, from.data<T>(), y.mutable_data<T>(),
           key_of(mask), mask.threshold, static_cast<compute_t<T>>(mask.scale), x.numel());
  });
}

void drop_path(const Tensor& x, Tensor& y, const DropMask& mask) {
  const std::int64_t rows = x.dim(0);
  dispatch_floating("drop_path", x.dtype(), [&]<typename T>() {
    launch(drop_path_kernel<T>, blocks_for(x.numel()), kBlock, x.data<T>(), y.mutable_data<T>(), key_of(mask),
           mask.threshold, static_cast<compute_t<T>>(mask.scale), rows > 0 ? x.numel() / rows : 1, x.numel());
  });
}

}  // namespace noisymix::cuda
