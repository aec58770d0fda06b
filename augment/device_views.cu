// Views by one block of threads for each example and view: the crop/flip image and the results of all chains
// lie in shared memory, then one sweep mixes and normalises them. Compiled with -fmad=false, see
// block_operations.cuh.
#include "augment/device_views.h"

#include <map>
#include <mutex>
#include <utility>

#include "augment/augmix_draws.h"
#include "augment/block_operations.cuh"
#include "augment/crop_flip.h"
#include "augment/image_ops.h"
#include "augment/normalize.h"

#ifndef __CUDACC__
#define __grid_constant__
#endif

namespace noisymix::cuda {
namespace {

using namespace block;

/// What the kernel is told. Plain numbers, because a captured step keeps them.
struct ViewsTask {
  const std::uint8_t* images;
  const std::int64_t* batch;  ///< word 0: the key; then the examples
  std::int64_t examples;      ///< of the batch
  std::uint8_t* scratch;      ///< images of each block; null: they are in shared memory
  std::int64_t pitch;         ///< bytes from one of them to the next
  BlockShape shape;
  CropFlipOptions crop_flip;
  AugMixOptions augmix;
  int plain, count;  ///< views: those without AugMix, and all
  ChannelAffine normalization;
  Rotations rotations;
};

/// In shared memory: what one thread draws for all.
struct BlockDraws {
  CropFlipDraw crop_flip;
  int severity, depth;
  double skip;
  BlockStep step;
  BlockTables tables;
};

/// Also in shared memory, as long as the number of chains says, followed by the images.
struct Chains {
  double* weights;
  float* shares;  ///< of the crop/flip image, then of the chains
  int* places;    ///< of the chains' results among the block's images
};

/// Bytes of Chains, and where its parts are.
NM_HOST_DEVICE inline std::size_t chains_bytes(int width) {
  const std::size_t bytes = sizeof(double) * static_cast<std::size_t>(width) +
                            (sizeof(float) + sizeof(int)) * (static_cast<std::size_t>(width) + 1);
  return (bytes + 15) / 16 * 16;
}
__device__ inline Chains chains_at(unsigned char* memory, int width) {
  auto* weights = reinterpret_cast<double*>(memory);
  auto* shares = reinterpret_cast<float*>(weights + width);
  return {weights, shares, reinterpret_cast<int*>(shares + width + 1)};
}

/// Writes the crop/flip image.
template <int kChannels>
__device__ void crop_flip(const std::uint8_t* from, std::uint8_t* to, BlockShape shape,
                          const CropFlipOptions& options, const CropFlipDraw& draw) {
  NM_BLOCK_EACH(p, shape.pixels()) {
    const int y = p / shape.width, x = p - y * shape.width;
    // Where the pixel was before the last step, and before the one before it.
    const bool flips_last = draw.flip && !options.flip_first, flips_first = draw.flip && options.flip_first;
    const int row = y + draw.top - options.padding;
    int column = (flips_last ? shape.width - 1 - x : x) + draw.left - options.padding;
    std::uint8_t* pixel = to + kChannels * p;
    if (row < 0 || row >= shape.height || column < 0 || column >= shape.width) {
      set_black<kChannels>(pixel);
      continue;
    }
    if (flips_first) column = shape.width - 1 - column;
    for (int c = 0; c < kChannels; ++c) pixel[c] = from[(row * shape.width + column) * kChannels + c];
  }
}

/// Draws of the mixture: severity, skip and the shares. By one thread.
__device__ inline void draw_mixture(const AugMixOptions& options, Key key, BlockDraws& draws,
                                    const Chains& chains) {
  draws.severity = draw_severity(options, key);
  draw_weights(options, key, chains.weights);
  const double skip = draw_skip(options, key);
  chains.shares[0] = static_cast<float>(1 - skip);
  for (int i = 0; i < options.width; ++i) chains.shares[i + 1] = static_cast<float>(skip * chains.weights[i]);
}

/// Operation k of a chain, by one thread.
__device__ inline BlockStep drawn_step(const ViewsTask& task, int severity, Key chain, int k) {
  const ChainStep step = draw_step(task.augmix, severity, chain, k);
  const int side = step.operation == Operation::translate_y ? task.shape.height : task.shape.width;
  return {step.operation, parameter_of(step, side)};
}

/// Runs the chains on image 0 of the block. Their results are images 1, 2, ...; the one that is not a result
/// takes turns as the place of the next step's output.
template <int kChannels>
__device__ void run_chains(const ViewsTask& task, Key key, std::uint8_t* images, BlockDraws& draws,
                           const Chains& chains) {
  const bool leads = threadIdx.x == 0;
  if (leads) draw_mixture(task.augmix, key, draws, chains);
  int spare = task.augmix.width + 1;
  for (int i = 0; i < task.augmix.width; ++i) {
    const Key chain = chain_key(key, i);
    if (leads) draws.depth = draw_depth(task.augmix, chain);
    __syncthreads();
    int current = 0, result = i + 1;
    for (int k = 0, depth = draws.depth; k < depth; ++k) {
      if (leads) draws.step = drawn_step(task, draws.severity, chain, k);
      __syncthreads();
      apply_step<kChannels>(draws.step, images + current * task.pitch, images + spare * task.pitch,
                            task.shape, task.rotations, draws.tables);
      __syncthreads();
      current = spare;
      spare = result;
      result = current;
    }
    if (leads) chains.places[i] = result;
  }
}

// Four blocks on each multiprocessor hide the time of the draws, which one thread makes.
template <typename T, int kChannels>
__global__ void __launch_bounds__(kBlock, 4)
    make_views_kernel(const __grid_constant__ ViewsTask task, T* __restrict__ out) {
  __shared__ BlockDraws draws;
  auto* const shared = dynamic_shared<unsigned char>();
  const int width = task.augmix.width, bytes = task.shape.pixels() * kChannels;
  const Chains chains = chains_at(shared, width);
  std::uint8_t* const images =
      task.scratch != nullptr
          ? task.scratch + static_cast<std::int64_t>(blockIdx.x) * (width + 2) * task.pitch
          : shared + chains_bytes(width);
  for (std::int64_t row = blockIdx.x; row < task.examples * task.count; row += gridDim.x) {
    const int view = static_cast<int>(row / task.examples);
    const std::int64_t example = task.batch[1 + row % task.examples];
    const Key key = Key::from_words(static_cast<std::uint64_t>(task.batch[0])).child(example);
    if (threadIdx.x == 0) {
      draws.crop_flip = draw_crop_flip(task.crop_flip, key);
      chains.shares[0] = 1;
    }
    __syncthreads();
    crop_flip<kChannels>(task.images + example * bytes, images, task.shape, task.crop_flip, draws.crop_flip);
    __syncthreads();
    const bool mixes = view >= task.plain;
    if (mixes)
      run_chains<kChannels>(task, key.child("augmix").child(std::int64_t{view - task.plain + 1}), images,
                            draws, chains);
    __syncthreads();
    NM_BLOCK_EACH(i, bytes) {
      float sum = chains.shares[0] * static_cast<float>(images[i]);
      for (int k = 0; k < (mixes ? width : 0); ++k)
        sum += chains.shares[k + 1] * static_cast<float>(images[chains.places[k] * task.pitch + i]);
      const int c = i % kChannels;
      out[row * bytes + i] =
          convert_value<T>(sum * task.normalization.scale[c] + task.normalization.offset[c]);
    }
    __syncthreads();  // the next row overwrites all of it
  }
}

__global__ void gather_labels_kernel(const std::int64_t* __restrict__ labels,
                                     const std::int64_t* __restrict__ batch, std::int64_t* __restrict__ out,
                                     std::int64_t examples) {
  NM_FOR_EACH(i, examples) out[i] = labels[batch[1 + i]];
}

struct OperationTask {
  const std::uint8_t* images;
  BlockShape shape;
  BlockStep step;
  Rotations rotations;
};

template <int kChannels>
__global__ void operation_kernel(const __grid_constant__ OperationTask task, std::uint8_t* out) {
  __shared__ BlockTables tables;
  const std::int64_t at = std::int64_t{blockIdx.x} * task.shape.pixels() * kChannels;
  apply_step<kChannels>(task.step, task.images + at, out + at, task.shape, task.rotations, tables);
}

Rotations rotations_for(BlockShape shape) {
  Rotations rotations;
  for (int degrees = -kMostDegrees; degrees <= kMostDegrees; ++degrees) {
    const AffineMatrix m = rotation_matrix(shape.width, shape.height, degrees);
    double* const to = rotations.of[degrees + kMostDegrees];
    to[0] = m[0];
    to[1] = m[1];
    to[2] = m[2];
    to[3] = m[5];
  }
  return rotations;
}

BlockShape shape_of(const Tensor& images) {
  return {static_cast<int>(images.dim(1)), static_cast<int>(images.dim(2))};
}

/// Dynamic shared memory that a block of make_views may use: more would leave a multiprocessor too few
/// blocks.
std::size_t shared_limit() {
  static std::mutex mutex;
  static std::map<int, std::size_t> limits;
  std::lock_guard lock(mutex);
  const auto [found, is_new] = limits.emplace(selected(), 0);
  if (is_new) {
    cudaDeviceProp properties{};
    NM_CUDA_CHECK(cudaGetDeviceProperties(&properties, selected()));
    const std::size_t most = properties.sharedMemPerBlockOptin - sizeof(BlockDraws) - 1024;
    found->second = most < 96 * 1024 ? most : 96 * 1024;
  }
  return found->second;
}

template <typename T, int kChannels>
void launch_views(ViewsTask task, std::int64_t rows, Tensor& out) {
  const auto kernel = make_views_kernel<T, kChannels>;
  const std::int64_t images = task.augmix.width + 2;
  task.pitch = (std::int64_t{task.shape.pixels()} * kChannels + 15) / 16 * 16;
  std::size_t shared = chains_bytes(task.augmix.width);
  NM_CHECK(shared <= 32 * 1024, "[make_views] ", task.augmix.width, " chains are too many for a GPU");
  std::int64_t grid = rows;
  Tensor scratch;
  if (shared + static_cast<std::size_t>(images * task.pitch) <= shared_limit()) {
    shared += static_cast<std::size_t>(images * task.pitch);
    NM_CUDA_CHECK(
        cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)));
  } else {
    const std::int64_t most = std::int64_t{2} * multiprocessors();
    grid = rows < most ? rows : most;
    scratch = Tensor::empty({grid, images, task.pitch}, Dtype::u8, out.device());
    task.scratch = scratch.mutable_data<std::uint8_t>();
  }
  launch_shared(kernel, static_cast<unsigned>(grid), kBlock, shared, task, out.mutable_data<T>());
}

}  // namespace

void make_views(const Tensor& images, const Tensor& batch, const ViewsPlan& plan, Tensor& out) {
  ViewsTask task{};
  task.images = images.data<std::uint8_t>();
  task.batch = reinterpret_cast<const std::int64_t*>(batch.raw());
  task.examples = batch.numel() / 8 - 1;
  task.shape = shape_of(images);
  task.crop_flip = plan.crop_flip;
  task.augmix = plan.augmix;
  task.plain = plan.plain;
  task.count = plan.count();
  task.normalization = channel_affine(plan.normalization);
  task.rotations = rotations_for(task.shape);
  if (plan.augmented == 0) task.augmix.width = 0;  // no room for chains
  const std::int64_t rows = task.examples * task.count;
  const bool grey = images.dim(3) == 1;
  if (rows == 0) return;
  if (out.dtype() == Dtype::f32)
    grey ? launch_views<float, 1>(task, rows, out) : launch_views<float, 3>(task, rows, out);
  else
    grey ? launch_views<bfloat16, 1>(task, rows, out) : launch_views<bfloat16, 3>(task, rows, out);
}

void gather_labels(const Tensor& labels, const Tensor& batch, Tensor& out) {
  const std::int64_t b = out.numel();
  launch(gather_labels_kernel, blocks_for(b), kBlock, labels.data<std::int64_t>(),
         reinterpret_cast<const std::int64_t*>(batch.raw()), out.mutable_data<std::int64_t>(), b);
}

void apply_operation(const Tensor& images, const ChainStep& step, Tensor& out) {
  const BlockShape shape = shape_of(images);
  const int side = step.operation == Operation::translate_y ? shape.height : shape.width;
  const OperationTask task{
      images.data<std::uint8_t>(), shape, {step.operation, step_parameter(step, side)}, rotations_for(shape)};
  const auto kernel = images.dim(3) == 1 ? operation_kernel<1> : operation_kernel<3>;
  launch(kernel, static_cast<unsigned>(images.dim(0)), kBlock, task, out.mutable_data<std::uint8_t>());
}

}  // namespace noisymix::cuda
