// How the passes of batch_norm.cu divide x [rows, channels] among blocks and threads, how a block adds up,
// and the constants of its channels.
#pragma once

#include "engine/cuda/launch.h"
#include "engine/ops/batch_norm_layout.h"

namespace noisymix::cuda {

constexpr int kMostLanes = 32;  ///< packs of channels side by side in a block

/// A block takes `chunk` rows of lanes * N channels; its threads are `lanes` packs wide and `depth` rows
/// deep.
struct ChannelTiling {
  std::int64_t rows = 0, channels = 0, chunk = 0;
  int lanes = 0, depth = 0;
  unsigned blocks = 0, groups = 0;  // of rows, of channels
  dim3 grid() const { return dim3(blocks, groups); }
  int threads() const { return lanes * depth; }
};

/// For packs of N channels; the grid has about so many blocks per multiprocessor, however few channels there
/// are.
template <int N>
ChannelTiling tiling(std::int64_t rows, std::int64_t channels, int per_multiprocessor) {
  ChannelTiling t;
  t.rows = rows, t.channels = channels;
  if (rows == 0 || channels == 0) return t;
  const std::int64_t packs = channels / N, groups = (packs + kMostLanes - 1) / kMostLanes;
  t.groups = static_cast<unsigned>(groups);
  t.lanes = static_cast<int>((packs + groups - 1) / groups);
  t.depth = kBlock / t.lanes;
  std::int64_t wanted = std::int64_t{per_multiprocessor} * multiprocessors() / groups;
  if (wanted < 1) wanted = 1;
  const std::int64_t each = (rows + wanted - 1) / wanted;
  t.chunk = (each + t.depth - 1) / t.depth * t.depth;
  t.blocks = static_cast<unsigned>((rows + t.chunk - 1) / t.chunk);
  return t;
}

/// What one thread of a tiling works on: channels [channel, channel + N) of every `step`-th row of [begin,
/// end).
template <int N>
struct ChannelPlace {
  int lane, depth;  // position in the block
  std::int64_t channel, begin, end, step;

  __device__ explicit ChannelPlace(const ChannelTiling& t) {
    lane = static_cast<int>(threadIdx.x) % t.lanes;
    depth = static_cast<int>(threadIdx.x) / t.lanes;
    channel = (static_cast<std::int64_t>(blockIdx.y) * t.lanes + lane) * N;
    begin = static_cast<std::int64_t>(blockIdx.x) * t.chunk;
    end = begin + t.chunk < t.rows ? begin + t.chunk : t.rows;
    if (channel >= t.channels) end = begin;  // no rows for a lane beyond the last channel
    begin += depth;
    step = t.depth;
  }
};

/// Adds the K values of the threads of a block that share a lane; afterwards those of depth 0 hold the sums,
/// added in pairs, in a fixed order. `shared` has K * kBlock / 2 places. All threads of the block must call
/// it.
template <int K, typename C>
__device__ inline void sum_over_depth(C (&value)[K], C* shared, int lanes, int depths, int lane, int depth) {
  for (int left = depths; left > 1;) {
    const int half = (left + 1) / 2;
    if (depth >= half && depth < left) {
#pragma unroll
      for (int k = 0; k < K; ++k) shared[k * (kBlock / 2) + (depth - half) * lanes + lane] = value[k];
    }
    __syncthreads();
    if (depth < left - half) {
#pragma unroll
      for (int k = 0; k < K; ++k) value[k] += shared[k * (kBlock / 2) + depth * lanes + lane];
    }
    __syncthreads();
    left = half;
  }
}

/// Elements of any floating dtype, where there are too few of them for a kernel of every combination.
struct ChannelFloats {
  void* at;
  Dtype dtype;

  ChannelFloats(const Tensor& x)  // an undefined tensor has no elements
      : at(x.defined() ? x.raw() : nullptr), dtype(x.defined() ? x.dtype() : Dtype::f64) {}
  __device__ double get(std::int64_t i) const {
    if (dtype == Dtype::f64) return static_cast<const double*>(at)[i];
    if (dtype == Dtype::f32) return static_cast<double>(static_cast<const float*>(at)[i]);
    return static_cast<double>(value_of(static_cast<const bfloat16*>(at)[i]));
  }
  __device__ void set(std::int64_t i, double value) const {
    if (dtype == Dtype::f64)
      static_cast<double*>(at)[i] = value;
    else if (dtype == Dtype::f32)
      static_cast<float*>(at)[i] = static_cast<float>(value);
    else
      static_cast<bfloat16*>(at)[i] = convert_value<bfloat16>(value);
  }
};

/// A ChannelNorm for kernels; `sums` is null where the moments are no functions of x.
struct ChannelNormValues {
  const double* moments;
  ChannelFloats weight, bias;
  const double* sums;
  double epsilon;

  ChannelNormValues(const ChannelNorm& norm, const double* gradient_sums)
      : moments(norm.moments.data<double>()),
        weight(norm.weight),
        bias(norm.bias),
        sums(gradient_sums),
        epsilon(norm.epsilon) {}
};

/// y = (x - shift) * scale + bias and dx = scale * (g - offset - (x - shift) * slope) for one pack of
/// channels. The mean is rounded to the arithmetic type; what rounding cut off goes into bias and offset,
/// which matters when the mean is large against the deviation.
template <int N, typename C, bool kGradient>
struct ChannelConstants {
  C shift[N], scale[N], bias[N], offset[kGradient ? N : 1], slope[kGradient ? N : 1];

  /// The threads of a block compute the constants of its channels together, in double. All must call it.
  __device__ ChannelConstants(const ChannelNormValues& norm, const ChannelTiling& t,
                              const ChannelPlace<N>& place) {
    constexpr int kWidth = kMostLanes * N;
    __shared__ C table[(kGradient ? 5 : 3) * kWidth];
    const std::int64_t first = place.channel - place.lane * N;
    for (int j = static_cast<int>(threadIdx.x); j < t.lanes * N; j += static_cast<int>(blockDim.x)) {
      const std::int64_t i = first + j, c = t.channels;
      if (i >= c) break;
      const double inverse = 1 / std::sqrt(norm.moments[c + i] + norm.epsilon), mean = norm.moments[i];
      const double factor = norm.weight.get(i) * inverse;
      table[j] = static_cast<C>(mean);
      const double rest = mean - static_cast<double>(table[j]);
      table[kWidth + j] = static_cast<C>(factor);
      table[2 * kWidth + j] = static_cast<C>(norm.bias.get(i) - rest * factor);
      if constexpr (kGradient) {
        const double count = static_cast<double>(t.rows);
        const double tilt = norm.sums == nullptr ? 0 : norm.sums[c + i] * inverse * inverse / count;
        table[3 * kWidth + j] =
            norm.sums == nullptr ? C(0) : static_cast<C>(norm.sums[i] / count - rest * tilt);
        table[4 * kWidth + j] = static_cast<C>(tilt);
      }
    }
    __syncthreads();
#pragma unroll
    for (int k = 0; k < N; ++k) {
      const int j = place.lane * N + k;
      shift[k] = table[j], scale[k] = table[kWidth + j], bias[k] = table[2 * kWidth + j];
      if constexpr (kGradient) offset[k] = table[3 * kWidth + j], slope[k] = table[4 * kWidth + j];
    }
  }
};

}  // namespace noisymix::cuda
