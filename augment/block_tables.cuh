// Byte tables made and applied by one block of threads: the GPU's form of lut_ops.cpp.
#pragma once

#include <cstdint>

#include "engine/cuda/launch.h"

namespace noisymix::cuda::block {

/// for (i of this thread; i < count; i += threads of the block)
#define NM_BLOCK_EACH(i, count) \
  for (int i = static_cast<int>(threadIdx.x); i < (count); i += static_cast<int>(blockDim.x))

/// In shared memory: what the table operations count and make.
struct BlockTables {
  int counts[3][256];
  std::uint8_t entries[3][256];
  int low[3], high[3];
};

/// out = table of the channel (in). `pixels` is the number of pixels, each of kChannels bytes.
template <int kChannels>
__device__ void look_up(const std::uint8_t* in, std::uint8_t* out, int pixels, const BlockTables& tables) {
  NM_BLOCK_EACH(i, pixels * kChannels) out[i] = tables.entries[i % kChannels][in[i]];
}

/// tables.low and .high: the extreme values of every channel.
template <int kChannels>
__device__ void find_extremes(const std::uint8_t* in, int pixels, BlockTables& tables) {
  if (threadIdx.x < kChannels) {
    tables.low[threadIdx.x] = 255;
    tables.high[threadIdx.x] = 0;
  }
  __syncthreads();
#pragma unroll
  for (int c = 0; c < kChannels; ++c) {
    int low = 255, high = 0;
    NM_BLOCK_EACH(p, pixels) {
      const int value = in[kChannels * p + c];
      low = value < low ? value : low;
      high = value > high ? value : high;
    }
    low = -warp_max(-low);
    high = warp_max(high);
    if (threadIdx.x % kWarp == 0) {
      atomicMin(&tables.low[c], low);
      atomicMax(&tables.high[c], high);
    }
  }
  __syncthreads();
}

template <int kChannels>
__device__ void autocontrast(const std::uint8_t* in, std::uint8_t* out, int pixels, BlockTables& tables) {
  find_extremes<kChannels>(in, pixels, tables);
  NM_BLOCK_EACH(v, 256) {
    for (int c = 0; c < kChannels; ++c) {
      const int low = tables.low[c], high = tables.high[c];
      int value = v;
      if (high > low) {
        const double scale = 255.0 / (high - low), offset = -low * scale;  // two roundings, as on the CPU
        value = static_cast<int>(v * scale + offset);
        value = value < 0 ? 0 : (value > 255 ? 255 : value);
      }
      tables.entries[c][v] = static_cast<std::uint8_t>(value);
    }
  }
  __syncthreads();
  look_up<kChannels>(in, out, pixels, tables);
}

/// The equalising table of one channel, by one warp: each lane has eight neighbouring values.
__device__ inline void equalize_channel(const int* counts, std::uint8_t* entries, int pixels) {
  constexpr int kValues = 256 / kWarp;
  const int lane = static_cast<int>(threadIdx.x) % kWarp, first = lane * kValues;
  int own = 0, brightest = 0;
  for (int v = first; v < first + kValues; ++v) {
    own += counts[v];
    if (counts[v] != 0) brightest = v;
  }
  brightest = warp_max(brightest);
  int up_to_here = own;  // sum over this and all lanes before
  for (int distance = 1; distance < kWarp; distance *= 2) {
    const int other = __shfl_sync(0xffffffffu, up_to_here, (lane - distance + kWarp) % kWarp);
    if (lane >= distance) up_to_here += other;
  }
  const int step = (pixels - counts[brightest]) / 255;
  int darker = step / 2 + up_to_here - own;
  for (int v = first; v < first + kValues; ++v) {
    const int value = step == 0 ? v : darker / step;
    entries[v] = static_cast<std::uint8_t>(value > 255 ? 255 : value);
    darker += counts[v];
  }
}

template <int kChannels>
__device__ void equalize(const std::uint8_t* in, std::uint8_t* out, int pixels, BlockTables& tables) {
  NM_BLOCK_EACH(i, kChannels * 256) tables.counts[i / 256][i % 256] = 0;
  __syncthreads();
  NM_BLOCK_EACH(i, kChannels * pixels) atomicAdd(&tables.counts[i % kChannels][in[i]], 1);
  __syncthreads();
  const int warp = static_cast<int>(threadIdx.x) / kWarp;
  if (warp < kChannels) equalize_channel(tables.counts[warp], tables.entries[warp], pixels);
  __syncthreads();
  look_up<kChannels>(in, out, pixels, tables);
}

}  // namespace noisymix::cuda::block
