#include "engine/ops/batch_norm.h"

#include "engine/ops/batch_norm_tiling.cuh"

namespace noisymix::cuda {
namespace {

constexpr int kPerMultiprocessor = 4;  // blocks: all of them run at once, and each sums many rows

// --- Moments ---

/// partial [blocks, 2, c] = mean and sum of squared deviations of each block's rows. Values are added as
/// deviations from the mean of the block's first rows, which is near enough to the whole one that nothing
/// cancels.
template <int N, typename T>
__global__ void __launch_bounds__(kBlock)
    moments_kernel(const T* __restrict__ x, ChannelTiling t, double* partial) {
  using C = sum_t<T>;
  constexpr int kRun = 4;  // rows loaded at a time
  __shared__ C shared[2 * N * kBlock / 2];
  const ChannelPlace<N> at(t);
  C pivot[N] = {};
  if (at.begin < at.end) {
    const Pack<T, N> in = load_pack<N>(x + at.begin * t.channels + at.channel);
#pragma unroll
    for (int k = 0; k < N; ++k) pivot[k] = value_of(in.at[k]);
  }
  sum_over_depth(pivot, shared, t.lanes, t.depth, at.lane, at.depth);
  const std::int64_t count = at.end - (at.begin - at.depth);  // rows of the block
  const C sampled = static_cast<C>(count < t.depth ? count : t.depth);
  if (at.depth == 0) {
#pragma unroll
    for (int k = 0; k < N; ++k) shared[k * kMostLanes + at.lane] = pivot[k] / sampled;
  }
  __syncthreads();
#pragma unroll
  for (int k = 0; k < N; ++k) pivot[k] = shared[k * kMostLanes + at.lane];
  __syncthreads();

  C sums[2 * N] = {};  // of deviations, then of their squares
  for (std::int64_t row = at.begin; row < at.end; row += kRun * at.step) {
    Pack<T, N> in[kRun];
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step;
      in[u] = load_pack<N>(x + (r < at.end ? r : row) * t.channels + at.channel);
    }
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      if (row + u * at.step >= at.end) break;
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const C d = value_of(in[u].at[k]) - pivot[k];
        sums[k] += d;
        sums[N + k] += d * d;
      }
    }
  }
  sum_over_depth(sums, shared, t.lanes, t.depth, at.lane, at.depth);
  if (at.depth != 0 || at.channel >= t.channels) return;
  double* mean = partial + static_cast<std::int64_t>(blockIdx.x) * 2 * t.channels + at.channel;
#pragma unroll
  for (int k = 0; k < N; ++k) {
    const double sum = static_cast<double>(sums[k]), n = static_cast<double>(count);
    const double squares = static_cast<double>(sums[N + k]) - sum * sum / n;
    mean[k] = static_cast<double>(pivot[k]) + sum / n;
    mean[t.channels + k] = squares > 0 ? squares : 0;
  }
}

constexpr int kJoined = 8;                  // channels of a block that joins partial results
constexpr int kJoiners = kBlock / kJoined;  // threads that share a channel

/// Sum of a thread's values over the threads of its channel, in all of them. All threads must call it.
__device__ inline double sum_joiners(double value) {
  __shared__ double shared[kBlock / 2], total[kJoined];
  double values[1] = {value};
  const int lane = static_cast<int>(threadIdx.x) % kJoined, depth = static_cast<int>(threadIdx.x) / kJoined;
  sum_over_depth(values, shared, kJoined, kJoiners, lane, depth);
  if (depth == 0) total[lane] = values[0];
  __syncthreads();
  return total[lane];
}

/// moments [2, c] from the blocks' ones.
__global__ void __launch_bounds__(kBlock)
    join_moments_kernel(const double* partial, ChannelTiling t, double* moments) {
  const std::int64_t c = t.channels, channel = blockIdx.x * kJoined + threadIdx.x % kJoined;
  const std::int64_t blocks = channel < c ? t.blocks : 0;
  const double rows = static_cast<double>(t.rows);
  double mean = 0, squares = 0;
  for (std::int64_t b = threadIdx.x / kJoined; b < blocks; b += kJoiners) {
    const std::int64_t left = t.rows - b * t.chunk;
    mean += partial[2 * b * c + channel] * static_cast<double>(left < t.chunk ? left : t.chunk);
  }
  mean = sum_joiners(mean) / rows;
  __syncthreads();
  for (std::int64_t b = threadIdx.x / kJoined; b < blocks; b += kJoiners) {
    const std::int64_t left = t.rows - b * t.chunk;
    const double gap = partial[2 * b * c + channel] - mean;
    squares +=
        partial[(2 * b + 1) * c + channel] + gap * gap * static_cast<double>(left < t.chunk ? left : t.chunk);
  }
  squares = sum_joiners(squares);
  if (channel >= c || threadIdx.x >= kJoined) return;
  moments[channel] = mean;
  moments[c + channel] = squares / rows;
}

// --- y and its gradients ---

template <int N, bool kRelu, typename T>
__global__ void __launch_bounds__(kBlock)
    normalise_kernel(const T* __restrict__ x, ChannelNormValues norm, ChannelTiling t, T* __restrict__ y) {
  using C = compute_t<T>;
  constexpr int kRun = 4;
  const ChannelPlace<N> at(t);
  const ChannelConstants<N, C, false> constant(norm, t, at);
  for (std::int64_t row = at.begin; row < at.end; row += kRun * at.step) {
    Pack<T, N> in[kRun];
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step;
      in[u] = load_pack<N>(x + (r < at.end ? r : row) * t.channels + at.channel);
    }
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step;
      if (r >= at.end) break;
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const C value = (value_of(in[u].at[k]) - constant.shift[k]) * constant.scale[k] + constant.bias[k];
        in[u].at[k] = T(kRelu && value < C(0) ? C(0) : value);  // NaN passes through
      }
      store_pack<N>(y + r * t.channels + at.channel, in[u]);
    }
  }
}

/// partial [blocks, 2, c] = sums of g and of g * (x - shift) over each block's rows.
template <int N, bool kRelu, typename T>
__global__ void __launch_bounds__(kBlock)
    grad_sums_kernel(const T* __restrict__ x, const T* __restrict__ dy, ChannelNormValues norm,
                     ChannelTiling t, sum_t<T>* partial) {
  using C = sum_t<T>;
  constexpr int kRun = 2;
  __shared__ C shared[2 * N * kBlock / 2];
  const ChannelPlace<N> at(t);
  const ChannelConstants<N, C, false> constant(norm, t, at);
  C sums[2 * N] = {};
  for (std::int64_t row = at.begin; row < at.end; row += kRun * at.step) {
    Pack<T, N> in[kRun], gradient[kRun];
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step, from = (r < at.end ? r : row) * t.channels + at.channel;
      in[u] = load_pack<N>(x + from);
      gradient[u] = load_pack<N>(dy + from);
    }
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      if (row + u * at.step >= at.end) break;
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const C d = value_of(in[u].at[k]) - constant.shift[k];
        const bool passes = !kRelu || d * constant.scale[k] + constant.bias[k] > C(0);
        const C g = passes ? value_of(gradient[u].at[k]) : C(0);
        sums[k] += g;
        sums[N + k] += g * d;
      }
    }
  }
  sum_over_depth(sums, shared, t.lanes, t.depth, at.lane, at.depth);
  if (at.depth != 0 || at.channel >= t.channels) return;
  C* to = partial + static_cast<std::int64_t>(blockIdx.x) * 2 * t.channels + at.channel;
#pragma unroll
  for (int k = 0; k < N; ++k) to[k] = sums[k], to[t.channels + k] = sums[N + k];
}

/// sums [2, c] = sums of g and of g * (x - mean) from the blocks' ones, which subtracted the rounded mean.
template <typename C>
__global__ void __launch_bounds__(kBlock)
    join_sums_kernel(const C* partial, const double* moments, ChannelTiling t, double* sums) {
  const std::int64_t c = t.channels, channel = blockIdx.x * kJoined + threadIdx.x % kJoined;
  const std::int64_t blocks = channel < c ? t.blocks : 0;
  double sum = 0, products = 0;
  for (std::int64_t b = threadIdx.x / kJoined; b < blocks; b += kJoiners) {
    sum += static_cast<double>(partial[2 * b * c + channel]);
    products += static_cast<double>(partial[(2 * b + 1) * c + channel]);
  }
  sum = sum_joiners(sum);
  __syncthreads();
  products = sum_joiners(products);
  if (channel >= c || threadIdx.x >= kJoined) return;
  const double mean = moments[channel];
  sums[channel] = sum;
  sums[c + channel] = products - (mean - static_cast<double>(static_cast<C>(mean))) * sum;
}

/// dx = scale * (g - offset - (x - shift) * slope).
template <int N, bool kRelu, typename T>
__global__ void __launch_bounds__(kBlock)
    input_grad_kernel(const T* __restrict__ x, const T* __restrict__ dy, ChannelNormValues norm,
                      ChannelTiling t, T* __restrict__ dx) {
  using C = compute_t<T>;
  constexpr int kRun = 2;
  const ChannelPlace<N> at(t);
  const ChannelConstants<N, C, true> constant(norm, t, at);
  for (std::int64_t row = at.begin; row < at.end; row += kRun * at.step) {
    Pack<T, N> in[kRun], gradient[kRun];
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step, from = (r < at.end ? r : row) * t.channels + at.channel;
      in[u] = load_pack<N>(x + from);
      gradient[u] = load_pack<N>(dy + from);
    }
#pragma unroll
    for (int u = 0; u < kRun; ++u) {
      const std::int64_t r = row + u * at.step;
      if (r >= at.end) break;
#pragma unroll
      for (int k = 0; k < N; ++k) {
        const C d = value_of(in[u].at[k]) - constant.shift[k];
        const bool passes = !kRelu || d * constant.scale[k] + constant.bias[k] > C(0);
        const C g = passes ? value_of(gradient[u].at[k]) : C(0);
        in[u].at[k] = T(constant.scale[k] * (g - constant.offset[k] - d * constant.slope[k]));
      }
      store_pack<N>(dx + r * t.channels + at.channel, in[u]);
    }
  }
}

// --- Per channel ---

__global__ void update_running_kernel(const double* moments, std::int64_t channels, ChannelFloats mean,
                                      ChannelFloats variance, double momentum, double unbias) {
  NM_FOR_EACH(j, channels) {
    mean.set(j, (1 - momentum) * mean.get(j) + momentum * moments[j]);
    variance.set(j, (1 - momentum) * variance.get(j) + momentum * (moments[channels + j] * unbias));
  }
}

__global__ void running_moments_kernel(ChannelFloats mean, ChannelFloats variance, std::int64_t channels,
                                       double* moments) {
  NM_FOR_EACH(j, channels) {
    moments[j] = mean.get(j);
    moments[channels + j] = variance.get(j);
  }
}

__global__ void parameter_grads_kernel(const double* sums, const double* moments, std::int64_t channels,
                                       double epsilon, ChannelFloats dweight, ChannelFloats dbias) {
  NM_FOR_EACH(j, channels) {
    if (dweight.at != nullptr)
      dweight.set(j, sums[channels + j] / std::sqrt(moments[channels + j] + epsilon));
    if (dbias.at != nullptr) dbias.set(j, sums[j]);
  }
}

std::int64_t rows_of(const Tensor& x) {
  return x.dim(-1) == 0 ? 0 : x.numel() / x.dim(-1);
}

unsigned join_blocks(std::int64_t channels) {
  return static_cast<unsigned>((channels + kJoined - 1) / kJoined);
}

/// Calls body.template operator()<N, T>() with the size of packs that x's channels and all addresses allow.
template <typename Body>
void dispatch_packs(const Tensor& x, const Tensor& other, Body&& body) {
  dispatch_floating("batch_norm", x.dtype(), [&]<typename T>() {
    if (x.dim(-1) % kPack<T> == 0 && packable(x.raw(), other.raw()))
      body.template operator()<kPack<T>, T>();
    else
      body.template operator()<1, T>();
  });
}

}  // namespace

Tensor channel_moments(const Tensor& x) {
  const std::int64_t channels = x.dim(-1);
  Tensor moments = Tensor::empty({2, channels}, Dtype::f64, x.device());
  dispatch_packs(x, x, [&]<int N, typename T>() {
    const ChannelTiling t = tiling<N>(rows_of(x), channels, kPerMultiprocessor);
    Tensor partial = Tensor::empty({t.blocks, 2, channels}, Dtype::f64, x.device());
    double* from = partial.mutable_data<double>();
    launch(moments_kernel<N, T>, t.grid(), t.threads(), x.data<T>(), t, from);
    launch(join_moments_kernel, join_blocks(channels), kBlock, from, t, moments.mutable_data<double>());
  });
  return moments;
}

Tensor normalise_channels(const Tensor& x, const ChannelNorm& norm) {
  Tensor y = empty_like(x);
  const ChannelNormValues values(norm, nullptr);
  dispatch_packs(x, y, [&]<int N, typename T>() {
    const ChannelTiling t = tiling<N>(rows_of(x), x.dim(-1), 2 * kPerMultiprocessor);
    launch(norm.relu ? normalise_kernel<N, true, T> : normalise_kernel<N, false, T>, t.grid(), t.threads(),
           x.data<T>(), values, t, y.mutable_data<T>());
  });
  return y;
}

Tensor channel_grad_sums(const Tensor& x, const Tensor& dy, const ChannelNorm& norm) {
  const std::int64_t channels = x.dim(-1);
  Tensor sums = Tensor::empty({2, channels}, Dtype::f64, x.device());
  const ChannelNormValues values(norm, nullptr);
  dispatch_packs(x, dy, [&]<int N, typename T>() {
    using C = sum_t<T>;
    const ChannelTiling t = tiling<N>(rows_of(x), channels, kPerMultiprocessor);
    Tensor partial = Tensor::empty({t.blocks, 2, channels}, dtype_of<C>(), x.device());
    C* from = partial.mutable_data<C>();
    launch(norm.relu ? grad_sums_kernel<N, true, T> : grad_sums_kernel<N, false, T>, t.grid(), t.threads(),
           x.data<T>(), dy.data<T>(), values, t, from);
    ChannelTiling joined = t;
    joined.channels = channels;  // also where there are no rows
    launch(join_sums_kernel<C>, join_blocks(channels), kBlock, from, values.moments, joined,
           sums.mutable_data<double>());
  });
  return sums;
}

Tensor channel_input_grad(const Tensor& x, const Tensor& dy, const ChannelNorm& norm, const Tensor& sums) {
  Tensor dx = empty_like(x);
  const ChannelNormValues values(norm, sums.defined() ? sums.data<double>() : nullptr);
  dispatch_packs(x, dy, [&]<int N, typename T>() {
    const ChannelTiling t = tiling<N>(rows_of(x), x.dim(-1), 2 * kPerMultiprocessor);
    launch(norm.relu ? input_grad_kernel<N, true, T> : input_grad_kernel<N, false, T>, t.grid(), t.threads(),
           x.data<T>(), dy.data<T>(), values, t, dx.mutable_data<T>());
  });
  return dx;
}

void update_running(const Tensor& moments, Tensor& mean, Tensor& variance, double momentum,
                    std::int64_t count) {
  const std::int64_t channels = mean.numel();
  launch(update_running_kernel, blocks_for(channels), kBlock, moments.data<double>(), channels,
         ChannelFloats(mean), ChannelFloats(variance), momentum,
         static_cast<double>(count) / static_cast<double>(count - 1));
}

void running_moments(const Tensor& mean, const Tensor& variance, Tensor& moments) {
  launch(running_moments_kernel, blocks_for(mean.numel()), kBlock, ChannelFloats(mean),
         ChannelFloats(variance), mean.numel(), moments.mutable_data<double>());
}

void channel_parameter_grads(const Tensor& sums, const ChannelNorm& norm, Tensor& dweight, Tensor& dbias) {
  const std::int64_t channels = sums.dim(1);
  launch(parameter_grads_kernel, blocks_for(channels), kBlock, sums.data<double>(),
         norm.moments.data<double>(), channels, norm.epsilon, ChannelFloats(dweight), ChannelFloats(dbias));
}

}  // namespace noisymix::cuda
