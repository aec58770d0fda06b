#include "engine/ops/softmax.h"

#include "engine/ops/reduce_kernels.h"

namespace noisymix::cuda {
namespace {

// Both functions keep one number per vector beside its peak: 1 / total, or peak + log(total).
template <bool Log>
__device__ inline double kept_of(double peak, double total) {
  return Log ? peak + std::log(total) : 1 / total;
}

template <bool Log, typename T>
__device__ inline T output_of(T x, double peak, double kept) {
  using C = compute_t<T>;
  if constexpr (Log)
    return from_double<T>(as_double(x) - kept);
  else
    return T(std::exp(value_of(x) - static_cast<C>(peak)) * static_cast<C>(kept));
}

/// What the gradient sums over a vector.
template <bool Log, typename T>
__device__ inline double sum_term(T y, T dy) {
  return Log ? as_double(dy) : as_double(y) * as_double(dy);
}

template <bool Log, typename T>
__device__ inline T slope_of(T y, T dy, double total) {
  if constexpr (Log)
    return from_double<T>(as_double(dy) - static_cast<double>(std::exp(value_of(y))) * total);
  else
    return from_double<T>(as_double(y) * (as_double(dy) - total));
}

// --- Contiguous vectors, each read by one group of threads ---

template <bool Log, typename T>
__global__ void vector_kernel(const T* __restrict__ x, T* __restrict__ y, std::int64_t vectors,
                              std::int64_t size, int group, bool packed) {
  constexpr int n = kPack<T>;
  const int lane = threadIdx.x % group, groups = blockDim.x / group;
  for (std::int64_t base = static_cast<std::int64_t>(blockIdx.x) * groups; base < vectors;
       base += static_cast<std::int64_t>(gridDim.x) * groups) {
    const std::int64_t vector = base + threadIdx.x / group;
    const std::int64_t end = vector < vectors ? size : 0;  // the others only wait
    const T* from = x + vector * size;
    T* to = y + vector * size;
    double peak = Largest::kStart, total = 0;
    for (std::int64_t first = lane * n; first < end; first += group * n) {
      const Pack<T, n> in = load_part<n>(from, first, size, packed);
      for (int k = 0; k < n; ++k)
        if (first + k < size) peak = Largest::join(peak, as_double(in.at[k]));
    }
    peak = join_group<Largest>(peak, group);
    for (std::int64_t first = lane * n; first < end; first += group * n) {
      const Pack<T, n> in = load_part<n>(from, first, size, packed);
      for (int k = 0; k < n; ++k)
        if (first + k < size) total += std::exp(value_of(in.at[k]) - static_cast<compute_t<T>>(peak));
    }
    const double kept = kept_of<Log>(peak, join_group<Total>(total, group));
    for (std::int64_t first = lane * n; first < end; first += group * n) {
      Pack<T, n> part = load_part<n>(from, first, size, packed);
      for (int k = 0; k < n; ++k) part.at[k] = output_of<Log>(part.at[k], peak, kept);
      store_part(to, first, size, packed, part);
    }
  }
}

template <bool Log, typename T>
__global__ void vector_grad_kernel(const T* __restrict__ dy, const T* __restrict__ y, T* __restrict__ dx,
                                   std::int64_t vectors, std::int64_t size, int group, bool packed) {
  constexpr int n = kPack<T>;
  const int lane = threadIdx.x % group, groups = blockDim.x / group;
  for (std::int64_t base = static_cast<std::int64_t>(blockIdx.x) * groups; base < vectors;
       base += static_cast<std::int64_t>(gridDim.x) * groups) {
    const std::int64_t vector = base + threadIdx.x / group;
    const std::int64_t end = vector < vectors ? size : 0;  // the others only wait
    const T *gradient = dy + vector * size, *from = y + vector * size;
    T* to = dx + vector * size;
    double total = 0;
    for (std::int64_t first = lane * n; first < end; first += group * n) {
      const Pack<T, n> g = load_part<n>(gradient, first, size, packed);
      const Pack<T, n> in = load_part<n>(from, first, size, packed);
      for (int k = 0; k < n; ++k)
        if (first + k < size) total += sum_term<Log>(in.at[k], g.at[k]);
    }
    total = join_group<Total>(total, group);
    for (std::int64_t first = lane * n; first < end; first += group * n) {
      const Pack<T, n> g = load_part<n>(gradient, first, size, packed);
      Pack<T, n> part = load_part<n>(from, first, size, packed);
      for (int k = 0; k < n; ++k) part.at[k] = slope_of<Log>(part.at[k], g.at[k], total);
      store_part(to, first, size, packed, part);
    }
  }
}

/// Few long vectors need more than one block each.
bool suits_groups(const Vectors& vectors) {
  return vectors.stride == 1 && (vectors.size <= 8192 || vectors.outer >= 512);
}
int group_for(const Vectors& vectors, int n) {
  const std::int64_t packs = packs_of(vectors.size, n);
  if (packs >= 512 || (packs >= 64 && vectors.outer < 2048)) return kBlock;
  int group = 1;
  while (group < kWarp && group < packs) group *= 2;
  return group;
}

// --- Other vectors: sweeps over the tensor, then one pass that writes ---

template <bool Log>
struct Keep {
  const double* peak;
  double* kept;
  __device__ void operator()(std::int64_t vector, double total) const {
    kept[vector] = kept_of<Log>(peak[vector], total);
  }
};

template <bool Log, typename T>
struct SumTerm {
  const T* y;
  __device__ double operator()(T dy, Element element) const { return sum_term<Log>(y[element.offset], dy); }
};

template <bool Log, typename T>
struct WriteOutput {
  const T* x;
  const double *peak, *kept;
  T* y;
  bool packed;
  __device__ void operator()(Piece p) const {
    Pack<T, kPack<T>> part = load_part<kPack<T>>(x + p.segment, p.first, p.length, packed);
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      if (p.first + k >= p.length) continue;
      const std::int64_t vector = p.result + k * p.step;
      part.at[k] = output_of<Log>(part.at[k], peak[vector], kept[vector]);
    }
    store_part(y + p.segment, p.first, p.length, packed, part);
  }
};

template <bool Log, typename T>
struct WriteSlope {
  const T *dy, *y;
  const double* total;
  T* dx;
  bool packed;
  __device__ void operator()(Piece p) const {
    const Pack<T, kPack<T>> gradient = load_part<kPack<T>>(dy + p.segment, p.first, p.length, packed);
    Pack<T, kPack<T>> part = load_part<kPack<T>>(y + p.segment, p.first, p.length, packed);
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k)
      if (p.first + k < p.length)
        part.at[k] = slope_of<Log>(part.at[k], gradient.at[k], total[p.result + k * p.step]);
    store_part(dx + p.segment, p.first, p.length, packed, part);
  }
};

ReduceWalk walk_of(const Vectors& vectors) {
  ReduceWalk walk;
  walk.outer = vectors.outer;
  walk.outer_axes.axis[walk.outer_axes.count++] = {vectors.outer, vectors.size * vectors.stride};
  if (vectors.stride == 1) {
    walk.run = vectors.size;
  } else {
    walk.rows = vectors.size;
    walk.row_axes.axis[walk.row_axes.count++] = {vectors.size, vectors.stride};
    walk.columns = vectors.stride;
  }
  return walk;
}

template <bool Log>
void forward(const char* op, const Tensor& x, Tensor& y, const Vectors& vectors) {
  if (x.numel() == 0) return;
  dispatch_floating(op, x.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    if (suits_groups(vectors)) {
      const int group = group_for(vectors, n);
      launch(vector_kernel<Log, T>, blocks_for(vectors.outer * group), kBlock, in, out, vectors.outer,
             vectors.size, group, packable(in, out) && vectors.size % n == 0);
      return;
    }
    Tensor numbers = Tensor::empty({2, vectors.count()}, Dtype::f64, x.device());
    double *peak = numbers.mutable_data<double>(), *kept = peak + vectors.count();
    const ReduceWalk walk = walk_of(vectors);
    sweep<Largest>(in, x.device(), walk, Value{}, Store<double>{peak});
    sweep<Total>(in, x.device(), walk, ExpBelow{peak}, Keep<Log>{peak, kept});
    const bool packed = packable(in, out) && segments_allow(walk, n);
    for_each_piece<n>(walk, WriteOutput<Log, T>{in, peak, kept, out, packed});
  });
}

template <bool Log>
void gradient(const char* op, const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors) {
  if (dy.numel() == 0) return;
  dispatch_floating(op, dy.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T *in = y.data<T>(), *slope = dy.data<T>();
    T* out = dx.mutable_data<T>();
    if (suits_groups(vectors)) {
      const int group = group_for(vectors, n);
      launch(vector_grad_kernel<Log, T>, blocks_for(vectors.outer * group), kBlock, slope, in, out,
             vectors.outer, vectors.size, group, packable(slope, in, out) && vectors.size % n == 0);
      return;
    }
    Tensor numbers = Tensor::empty({vectors.count()}, Dtype::f64, dy.device());
    double* total = numbers.mutable_data<double>();
    const ReduceWalk walk = walk_of(vectors);
    sweep<Total>(slope, dy.device(), walk, SumTerm<Log, T>{in}, Store<double>{total});
    const bool packed = packable(slope, in, out) && segments_allow(walk, n);
    for_each_piece<n>(walk, WriteSlope<Log, T>{slope, in, total, out, packed});
  });
}

}  // namespace

void softmax(const Tensor& x, Tensor& y, const Vectors& vectors) {
  forward<false>("softmax", x, y, vectors);
}
void softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors) {
  gradient<false>("softmax", dy, y, dx, vectors);
}
void log_softmax(const Tensor& x, Tensor& y, const Vectors& vectors) {
  forward<true>("log_softmax", x, y, vectors);
}
void log_softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors) {
  gradient<true>("log_softmax", dy, y, dx, vectors);
}

}  // namespace noisymix::cuda
