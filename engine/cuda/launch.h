// Launching kernels, and what their code is made of: element loops, vectors of elements, sums over warps and
// blocks. For .cu files only.
#pragma once

#include <cstdint>

#include "engine/cuda/runtime.h"
#include "engine/dtype.h"

namespace noisymix::cuda {

constexpr int kWarp = 32;
constexpr int kBlock = 256;  ///< threads of a block, unless a kernel wants another number

/// Starts kernel<<<grid, block, shared_bytes>>>(args...) on the device's stream.
template <typename... Params, typename... Args>
void launch_shared(void (*kernel)(Params...), dim3 grid, dim3 block, std::size_t shared_bytes, Args... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;  // nothing to do is no error
#ifdef __CUDACC__
  kernel<<<grid, block, shared_bytes, stream()>>>(static_cast<Params>(args)...);
#else
  emulated::launch(stream(), grid, block, shared_bytes, [=] { kernel(static_cast<Params>(args)...); });
#endif
  NM_CUDA_CHECK(cudaGetLastError());
}

template <typename... Params, typename... Args>
void launch(void (*kernel)(Params...), dim3 grid, dim3 block, Args... args) {
  launch_shared(kernel, grid, block, 0, args...);
}

/// Blocks of `block` threads for `count` threads; the kernel's threads take further elements in strides of
/// the grid (see NM_FOR_EACH), so the number is bounded.
inline unsigned blocks_for(std::int64_t count, int block = kBlock) {
  const std::int64_t blocks = (count + block - 1) / block;
  const std::int64_t most = std::int64_t{16} * multiprocessors() * (2048 / block) / 8;
  return static_cast<unsigned>(blocks < most ? blocks : most);
}

/// for (i of this thread; i < count; i += threads of the grid), in a one-dimensional grid.
#define NM_FOR_EACH(i, count)                                                                                \
  for (std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, nm_end_ = (count); \
       i < nm_end_; i += static_cast<std::int64_t>(gridDim.x) * blockDim.x)

/// N neighbouring elements, moved by one instruction where their size is 4, 8 or 16 bytes.
template <typename T, int N>
struct alignas(sizeof(T) * N) Pack {
  T at[N];
};
/// Elements of 16 bytes.
template <typename T>
constexpr int kPack = 16 / sizeof(T);

template <int N, typename T>
__device__ inline Pack<T, N> load_pack(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}
template <int N, typename T>
__device__ inline void store_pack(T* to, const Pack<T, N>& values) {
  *reinterpret_cast<Pack<T, N>*>(to) = values;
}
/// Whether addresses allow packs of 16 bytes.
template <typename... T>
bool packable(const T*... pointers) {
  return ((reinterpret_cast<std::uintptr_t>(pointers) % 16 == 0) && ...);
}

/// The type of a sum of T in a kernel: double for f64, else float.
template <typename T>
using sum_t = std::conditional_t<std::is_same_v<T, double>, double, float>;

/// An element in the type of its arithmetic.
template <typename T>
__device__ inline compute_t<T> value_of(T element) {
  return static_cast<compute_t<T>>(element);
}

/// Sum over the warp, in every lane; in a fixed order.
template <typename T>
__device__ inline T warp_sum(T value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}
template <typename T>
__device__ inline T warp_max(T value) {
#pragma unroll
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const T other = __shfl_xor_sync(0xffffffffu, value, step);
    value = other > value ? other : value;
  }
  return value;
}

/// Sum over a one-dimensional block of at most 1024 threads, a multiple of 32, in every thread; in a fixed
/// order. All threads must call it.
template <typename T>
__device__ inline T block_sum(T value) {
  __shared__ T partial[kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  value = warp_sum(value);
  __syncthreads();  // `partial` may still be read from the call before
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  const int warps = blockDim.x / kWarp;
  T total = lane < warps ? partial[lane] : T(0);
  return warp_sum(total);
}
template <typename T>
__device__ inline T block_max(T value) {
  __shared__ T partial[kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp;
  value = warp_max(value);
  __syncthreads();
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  const int warps = blockDim.x / kWarp;
  T total = lane < warps ? partial[lane] : partial[0];
  return warp_max(total);
}

/// Shared memory of the size that launch_shared was told.
template <typename T>
__device__ inline T* dynamic_shared() {
#ifdef __CUDACC__
  extern __shared__ unsigned char nm_dynamic_shared_[];
  return reinterpret_cast<T*>(nm_dynamic_shared_);
#else
  return static_cast<T*>(emulated::dynamic_shared());
#endif
}

}  // namespace noisymix::cuda
