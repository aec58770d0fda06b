// The sweep behind all reductions on a GPU: one pass over a tensor that joins a term of every element into
// its result. Totals are doubles, joined in an order that depends on the layout alone. For .cu files only.
#pragma once

#include "engine/cuda/parts.h"
#include "engine/ops/reduce_layout.h"

namespace noisymix::cuda {

template <typename T>
__device__ inline double as_double(T value) {
  return static_cast<double>(value_of(value));
}
template <typename T>
__device__ inline T from_double(double value) {
  return T(static_cast<compute_t<T>>(value));
}

// How two totals are joined, as on the CPU.
struct Total {
  static constexpr double kStart = 0;
  __device__ static double join(double a, double b) { return a + b; }
};
struct Largest {  // NaN wins
  static constexpr double kStart = -HUGE_VAL;
  __device__ static double join(double a, double b) { return !(b <= a) && a == a ? b : a; }
};
struct Smallest {
  static constexpr double kStart = HUGE_VAL;
  __device__ static double join(double a, double b) { return !(b >= a) && a == a ? b : a; }
};

/// What a term is told of its element: the result it belongs to, its position among that result's elements
/// and its place in memory. A term is a function (T value, Element) -> double.
struct Element {
  std::int64_t result, position, offset;
};
struct Value {
  template <typename T>
  __device__ double operator()(T value, Element) const {
    return as_double(value);
  }
};

/// exp(x - peak) in the type of x: the largest term is 1, and rounding harms only those that matter less.
struct ExpBelow {
  const double* peak;
  template <typename T>
  __device__ double operator()(T value, Element element) const {
    return std::exp(static_cast<compute_t<T>>(as_double(value) - peak[element.result]));
  }
};

/// What becomes of a total, a function (result, total): here it is scaled, rounded and kept.
template <typename T>
struct Store {
  T* to;
  double scale = 1;
  __device__ void operator()(std::int64_t result, double total) const {
    to[result] = from_double<T>(scale * total);
  }
};

/// Joins the values of `group` neighbouring threads (a power of two up to 32, or the whole block); all
/// threads of the block must call it.
template <typename Join>
__device__ inline double join_group(double value, int group) {
  for (int step = (group < kWarp ? group : kWarp) / 2; step > 0; step /= 2)
    value = Join::join(value, __shfl_xor_sync(0xffffffffu, value, step));
  if (group <= kWarp) return value;
  __shared__ double partial[kWarp];
  const int lane = threadIdx.x % kWarp, warp = threadIdx.x / kWarp, warps = blockDim.x / kWarp;
  __syncthreads();  // `partial` may still be read from the call before
  if (lane == 0) partial[warp] = value;
  __syncthreads();
  value = partial[0];
  for (int i = 1; i < warps; ++i) value = Join::join(value, partial[i]);
  return value;
}

/// Layouts whose innermost axis is reduced. Each result's elements are cut into `parts`, and a group of
/// threads joins each part; finish(result * parts + part, total) is called once for each.
template <typename Join, int N, typename T, typename Term, typename Finish>
__global__ void sweep_runs(const T* __restrict__ x, ReduceWalk walk, std::int64_t parts, int group,
                           bool packed, Term term, Finish finish) {
  const int lane = threadIdx.x % group, groups = blockDim.x / group;
  const std::int64_t packs = packs_of(walk.run, N), total = walk.rows * packs,
                     share = (total + parts - 1) / parts;
  const std::int64_t tasks = walk.outer * parts;
  for (std::int64_t base = static_cast<std::int64_t>(blockIdx.x) * groups; base < tasks;
       base += static_cast<std::int64_t>(gridDim.x) * groups) {
    const std::int64_t task = base + threadIdx.x / group;
    double value = Join::kStart;
    if (task < tasks) {
      const std::int64_t result = task / parts, begin = task % parts * share;
      const std::int64_t end = begin + share < total ? begin + share : total;
      const std::int64_t start = walk.outer_axes.offset(result);
      for (std::int64_t e = begin + lane; e < end; e += group) {
        const std::int64_t row = walk.rows == 1 ? 0 : e / packs, first = (e - row * packs) * N;
        const std::int64_t offset = start + walk.row_axes.offset(row);
        const Pack<T, N> in = load_part<N>(x + offset, first, walk.run, packed);
#pragma unroll
        for (int k = 0; k < N; ++k)
          if (first + k < walk.run)
            value = Join::join(
                value, term(in.at[k], Element{result, row * walk.run + first + k, offset + first + k}));
      }
    }
    value = join_group<Join>(value, group);
    if (lane == 0 && task < tasks) finish(task, value);
  }
}

/// Layouts whose innermost axis is kept. A block is `lanes` threads along the columns, each with N of them,
/// times as many rows at once as fit; finish((outer * parts + part) * columns + column, total) is called once
/// for each.
template <typename Join, int N, typename T, typename Term, typename Finish>
__global__ void sweep_columns(const T* __restrict__ x, ReduceWalk walk, std::int64_t parts, int lanes,
                              bool packed, Term term, Finish finish) {
  __shared__ double joined[N][kBlock];
  const int lane = threadIdx.x % lanes, own = threadIdx.x / lanes, together = blockDim.x / lanes;
  const std::int64_t packs = packs_of(walk.columns, N), total = walk.outer * packs;
  const std::int64_t share = (walk.rows + parts - 1) / parts, tasks = (total + lanes - 1) / lanes * parts;
  for (std::int64_t task = blockIdx.x; task < tasks; task += gridDim.x) {
    const std::int64_t pack = task / parts * lanes + lane, part = task % parts;
    const std::int64_t outer = pack / packs, first = (pack - outer * packs) * N;
    double value[N];
#pragma unroll
    for (int k = 0; k < N; ++k) value[k] = Join::kStart;
    if (pack < total) {
      const std::int64_t begin = part * share, end = begin + share < walk.rows ? begin + share : walk.rows;
      const std::int64_t start = walk.outer_axes.offset(outer);
      for (std::int64_t row = begin + own; row < end; row += together) {
        const std::int64_t offset = start + walk.row_axes.offset(row);
        const Pack<T, N> in = load_part<N>(x + offset, first, walk.columns, packed);
#pragma unroll
        for (int k = 0; k < N; ++k)
          if (first + k < walk.columns)
            value[k] = Join::join(
                value[k], term(in.at[k], Element{outer * walk.columns + first + k, row, offset + first + k}));
      }
    }
    if (together > 1) {
      __syncthreads();  // `joined` may still be read from the task before
#pragma unroll
      for (int k = 0; k < N; ++k) joined[k][threadIdx.x] = value[k];
      for (int step = together / 2; step > 0; step /= 2) {
        __syncthreads();
        if (own < step)
#pragma unroll
          for (int k = 0; k < N; ++k)
            joined[k][threadIdx.x] =
                Join::join(joined[k][threadIdx.x], joined[k][threadIdx.x + step * lanes]);
      }
#pragma unroll
      for (int k = 0; k < N; ++k) value[k] = joined[k][threadIdx.x];
    }
    if (own == 0 && pack < total)
#pragma unroll
      for (int k = 0; k < N; ++k)
        if (first + k < walk.columns) finish((outer * parts + part) * walk.columns + first + k, value[k]);
  }
}

/// How a sweep is cut; never a matter of the device, so that all give one order of summation.
struct SweepCut {
  std::int64_t parts = 1;
  int width = 1;            ///< threads of a group, or along the columns
  std::int64_t blocks = 0;  ///< bounded, the kernels take further tasks in strides of the grid
};

inline SweepCut cut_sweep(const ReduceWalk& walk, int n) {
  constexpr std::int64_t kEnough = 1024;  // blocks that fill any GPU
  SweepCut cut;
  const auto bounded = [](std::int64_t value, std::int64_t most) {
    return value > most ? (most > 1 ? most : 1) : value > 1 ? value : 1;
  };
  if (walk.by_column()) {
    const std::int64_t packs = walk.outer * packs_of(walk.columns, n);
    int together = 1;
    while (together < kBlock / kWarp && together * 8 < walk.rows) together *= 2;
    while (together < kBlock && kBlock / together / 2 >= packs && together * 4 < walk.rows) together *= 2;
    cut.width = kBlock / together;
    const std::int64_t tiles = packs_of(packs, cut.width);
    cut.parts = bounded(kEnough / bounded(tiles, kEnough), walk.rows / (together * 16));
    cut.blocks = bounded(tiles * cut.parts, 1 << 20);
  } else {
    const std::int64_t total = walk.rows * packs_of(walk.run, n);
    while (cut.width < kWarp && cut.width < total) cut.width *= 2;
    if (total >= 1024 || (total >= 128 && walk.outer < 2 * kEnough)) cut.width = kBlock;
    cut.parts = bounded(kEnough / bounded(walk.outer, kEnough), total / (kBlock * 4));
    cut.blocks = bounded(packs_of(walk.outer * cut.parts, kBlock / cut.width), 1 << 20);
  }
  return cut;
}

/// The walk over the totals of parts that sweep_runs or sweep_columns left.
inline ReduceWalk walk_of_parts(const ReduceWalk& walk, std::int64_t parts) {
  ReduceWalk result;
  result.outer = walk.outer;
  result.outer_axes.axis[result.outer_axes.count++] = {walk.outer, parts * walk.columns};
  if (walk.by_column()) {
    result.rows = parts;
    result.row_axes.axis[result.row_axes.count++] = {parts, walk.columns};
    result.columns = walk.columns;
  } else {
    result.run = parts;
  }
  return result;
}

/// Whether every segment of a tensor begins where packs of n may.
inline bool segments_allow(const ReduceWalk& walk, int n) {
  for (const ReduceWalk::AxisList* list : {&walk.outer_axes, &walk.row_axes})
    for (int i = 0; i < list->count; ++i)
      if (list->axis[i].stride % n != 0) return false;
  return true;
}

/// Calls finish(result, join of term(x[i], element i)) on the device for every result.
template <typename Join, typename T, typename Term, typename Finish>
void sweep(const T* x, Device device, const ReduceWalk& walk, Term term, Finish finish) {
  constexpr int n = kPack<T>;
  if (walk.results() == 0) return;
  const SweepCut cut = cut_sweep(walk, n);
  const bool packed = packable(x) && segments_allow(walk, n);
  const auto blocks = static_cast<unsigned>(cut.blocks);
  const auto start = [&](auto finisher) {
    using F = decltype(finisher);
    launch(walk.by_column() ? sweep_columns<Join, n, T, Term, F> : sweep_runs<Join, n, T, Term, F>, blocks,
           kBlock, x, walk, cut.parts, cut.width, packed, term, finisher);
  };
  if (cut.parts == 1) {
    start(finish);
    return;
  }
  Tensor totals = Tensor::empty({walk.results() * cut.parts}, Dtype::f64, device);
  start(Store<double>{totals.mutable_data<double>()});
  sweep<Join>(totals.data<double>(), device, walk_of_parts(walk, cut.parts), Value{}, finish);
}

/// Up to N elements of one segment, for kernels that write one element per element of the reduced tensor.
struct Piece {
  std::int64_t segment;           ///< where the segment begins
  std::int64_t first, length;     ///< the piece's first element in the segment, and the segment's length
  std::int64_t result, step;      ///< element k belongs to result + k * step
  std::int64_t position, stride;  ///< and is number position + k * stride of that result's elements
};

/// Calls body(piece) for pieces that cover every element once.
template <int N, typename Body>
__global__ void pieces_kernel(ReduceWalk walk, Body body) {
  const std::int64_t length = walk.segment(), packs = packs_of(length, N);
  NM_FOR_EACH(i, walk.outer * walk.rows * packs) {
    const std::int64_t segment = i / packs, first = (i - segment * packs) * N;
    const std::int64_t outer = segment / walk.rows, row = segment - outer * walk.rows;
    Piece piece{walk.offset(outer, row), first, length, outer, 0, row * walk.run + first, 1};
    if (walk.by_column()) {
      piece.result = outer * walk.columns + first;
      piece.step = 1;
      piece.position = row;
      piece.stride = 0;
    }
    body(piece);
  }
}

template <int N, typename Body>
void for_each_piece(const ReduceWalk& walk, Body body) {
  launch(pieces_kernel<N, Body>, blocks_for(walk.outer * walk.rows * packs_of(walk.segment(), N)), kBlock,
         walk, body);
}

}  // namespace noisymix::cuda
