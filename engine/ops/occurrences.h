// Where each value occurs among many, on the GPU and without the host: what sums by index need. For .cu files
// only.
#pragma once

#include "engine/cuda/launch.h"
#include "engine/tensor.h"

namespace noisymix::cuda {

/// Positions per value 0 .. count - 1, ascending: those of value v are places()[first()[v]] ..
/// places()[first()[v + 1]].
class Occurrences {
 public:
  Occurrences(const std::int64_t* values, std::int64_t m, std::int64_t count, Device device);
  const std::int64_t* first() const { return first_.data<std::int64_t>(); }
  const std::int64_t* places() const { return places_.data<std::int64_t>(); }

 private:
  Tensor first_, places_;  // i64 [count + 1], [m]
};

namespace occurrences {

constexpr std::int64_t kShort = 16;  ///< places that one thread sorts

// Integers add up to the same numbers in any order, so these atomics harm no determinism.
inline __device__ std::int64_t add_one(std::int64_t* at) {
  return static_cast<std::int64_t>(atomicAdd(reinterpret_cast<unsigned long long*>(at), 1ull));
}

static __global__ void count_kernel(const std::int64_t* values, std::int64_t m, std::int64_t* first) {
  NM_FOR_EACH(j, m) add_one(first + values[j] + 1);
}

/// Turns counts into running sums, and copies where each value's places begin to `next`. One block.
static __global__ void scan_kernel(std::int64_t* first, std::int64_t* next, std::int64_t count) {
  __shared__ std::int64_t before[kBlock];
  const std::int64_t share = (count + kBlock - 1) / kBlock, begin = threadIdx.x * share;
  const std::int64_t end = begin + share < count ? begin + share : count;
  std::int64_t total = 0;
  for (std::int64_t v = begin; v < end; ++v) total += first[v + 1];
  before[threadIdx.x] = total;
  __syncthreads();
  total = 0;
  for (unsigned i = 0; i < threadIdx.x; ++i) total += before[i];
  for (std::int64_t v = begin; v < end; ++v) {
    next[v] = total;
    total += first[v + 1];
    first[v + 1] = total;
  }
}

/// In any order; the kernels below mend it.
static __global__ void place_kernel(const std::int64_t* values, std::int64_t m, std::int64_t* next,
                                    std::int64_t* places) {
  NM_FOR_EACH(j, m) places[add_one(next + values[j])] = j;
}

static __global__ void sort_short_kernel(const std::int64_t* first, std::int64_t* places,
                                         std::int64_t count) {
  NM_FOR_EACH(v, count) {
    const std::int64_t begin = first[v], end = first[v + 1];
    if (end - begin > kShort) continue;
    for (std::int64_t j = begin + 1; j < end; ++j) {
      const std::int64_t place = places[j];
      std::int64_t k = j;
      for (; k > begin && places[k - 1] > place; --k) places[k] = places[k - 1];
      places[k] = place;
    }
  }
}

/// Finds the places of values with many by walking all of them, a block per value.
static __global__ void find_long_kernel(const std::int64_t* values, std::int64_t m, const std::int64_t* first,
                                        std::int64_t* places, std::int64_t count) {
  __shared__ std::int64_t before[kBlock];
  const std::int64_t share = (m + kBlock - 1) / kBlock, begin = threadIdx.x * share;
  const std::int64_t end = begin + share < m ? begin + share : m;
  for (std::int64_t v = blockIdx.x; v < count; v += gridDim.x) {
    if (first[v + 1] - first[v] <= kShort) continue;
    std::int64_t found = 0;
    for (std::int64_t j = begin; j < end; ++j) found += values[j] == v;
    __syncthreads();  // `before` may still be read for the value before
    before[threadIdx.x] = found;
    __syncthreads();
    std::int64_t to = first[v];
    for (unsigned i = 0; i < threadIdx.x; ++i) to += before[i];
    for (std::int64_t j = begin; j < end; ++j)
      if (values[j] == v) places[to++] = j;
  }
}

}  // namespace occurrences

inline Occurrences::Occurrences(const std::int64_t* values, std::int64_t m, std::int64_t count, Device device)
    : first_(Tensor::zeros({count + 1}, Dtype::i64, device)),
      places_(Tensor::empty({m}, Dtype::i64, device)) {
  using namespace occurrences;
  Tensor cursors = Tensor::empty({count}, Dtype::i64, device);
  std::int64_t *first = first_.mutable_data<std::int64_t>(), *places = places_.mutable_data<std::int64_t>();
  std::int64_t* next = cursors.mutable_data<std::int64_t>();
  launch(count_kernel, blocks_for(m), kBlock, values, m, first);
  launch(scan_kernel, 1, kBlock, first, next, count);
  launch(place_kernel, blocks_for(m), kBlock, values, m, next, places);
  launch(sort_short_kernel, blocks_for(count), kBlock, first, places, count);
  launch(find_long_kernel, static_cast<unsigned>(count < 4096 ? count : 4096), kBlock, values, m, first,
         places, count);
}

}  // namespace noisymix::cuda
