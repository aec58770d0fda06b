// Packs that may be cut short by the end of an array, or lie at addresses that allow no vector access: one
// kernel serves every size and alignment. For .cu files only.
#pragma once

#include "engine/cuda/launch.h"

namespace noisymix::cuda {

/// Whether N elements at this address can be moved at once.
template <int N, typename T>
bool aligned_for(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % (N * sizeof(T)) == 0;
}

/// Elements first .. first + N - 1 of an array of `count`; those past its end are 0. `packed`:
/// aligned_for<N>(from) and first is a multiple of N.
template <int N, typename T>
__device__ inline Pack<T, N> load_part(const T* from, std::int64_t first, std::int64_t count, bool packed) {
  if (packed && first + N <= count) return load_pack<N>(from + first);
  Pack<T, N> result;
#pragma unroll
  for (int k = 0; k < N; ++k) result.at[k] = first + k < count ? from[first + k] : T{};
  return result;
}

template <int N, typename T>
__device__ inline void store_part(T* to, std::int64_t first, std::int64_t count, bool packed,
                                  const Pack<T, N>& values) {
  if (packed && first + N <= count) {
    store_pack<N>(to + first, values);
    return;
  }
#pragma unroll
  for (int k = 0; k < N; ++k)
    if (first + k < count) to[first + k] = values.at[k];
}

/// How many packs of N hold `count` elements.
constexpr std::int64_t packs_of(std::int64_t count, int n) {
  return (count + n - 1) / n;
}

}  // namespace noisymix::cuda
