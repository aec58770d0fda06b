// Weight gradient by Winograd's algorithm: the exact adjoint of its forward pass.
//
// With V = B^T d B of the inputs and W = A dy A^T of the gradients, dU[plane] = sum over tiles of the outer
// products of W's and V's channels, and dg = G^T dU G. A task sums one split of the tiles for one range of
// output and one of input channels, in an accumulator that stays in L2, and transforms it back; the splits'
// results are added in order. No cut depends on the thread count.
#include <algorithm>

#include "engine/cpu/gemm.h"
#include "engine/cpu/winograd.h"
#include "engine/cpu/winograd_tiles.h"

namespace noisymix::cpu {
namespace {

constexpr int kPlanes = WinogradKernels::kPlanes;
constexpr std::int64_t kRange = 128;               // channels; 128 x 128 accumulators take 1 MB of L2
constexpr std::int64_t kBlockFloats = 200 * 1024;  // V and W of a block: 0.8 MB beside them
constexpr std::int64_t kTasks = 16;
constexpr std::int64_t kSplitTiles = 256;  // a split's products should outweigh its transformed sum

/// How the work is cut: into nearly equal parts.
struct Plan {
  std::int64_t o_ranges, c_ranges, splits;
};

Plan make_plan(const ConvShape& s, std::int64_t tiles) {
  Plan plan{chunk_count(s.o, kRange), chunk_count(s.c, kRange), 1};
  plan.splits = std::clamp<std::int64_t>(chunk_count(kTasks, plan.o_ranges * plan.c_ranges), 1,
                                         chunk_count(tiles, kSplitTiles));
  return plan;
}

/// Channels [begin, begin + count).
struct Range {
  std::int64_t begin, count;
};
Range part(std::int64_t total, std::int64_t parts, std::int64_t i) {
  const std::int64_t begin = even_part(total, parts, i);
  return {begin, even_part(total, parts, i + 1) - begin};
}

struct WeightGrad {
  TileGrid in, out;
  const float* x;
  const float* dy;

  /// dU [plane][o][c rounded up] of some channels += the tiles [begin, end).
  void add_tiles(Range o, Range c, std::int64_t begin, std::int64_t end, const TilePlanes& sums,
                 float* sum) const {
    thread_local Scratch scratch;
    thread_local std::vector<std::int64_t> v_offsets, w_offsets;
    const std::int64_t tiles = end - begin, lanes = micro_kernels().lanes;
    const TilePlanes v(tiles, c.count, lanes), w(tiles, o.count, lanes);
    float* const inputs = scratch.reserve(v.floats() + w.floats());
    float* const gradients = inputs + v.floats();
    const WinogradKernels& kernels = winograd_kernels();
    transform_tiles<4>(kernels.input, in, x, c.begin, c.count, begin, end, v, inputs);
    transform_tiles<2>(kernels.output_grad, out, dy, o.begin, o.count, begin, end, w, gradients);
    v_offsets.resize(static_cast<std::size_t>(tiles)), w_offsets.resize(static_cast<std::size_t>(tiles));
    for (std::int64_t t = 0; t < tiles; ++t) {
      v_offsets[static_cast<std::size_t>(t)] = t * v.stride;
      w_offsets[static_cast<std::size_t>(t)] = t * w.stride;
    }
    for (int plane = 0; plane < kPlanes; ++plane)
      add_outer_products({gradients + plane * w.plane, w_offsets.data()}, o.count,
                         {inputs + plane * v.plane, v_offsets.data()}, v.stride, tiles,
                         sum + plane * sums.plane, sums.stride);
  }

  /// dweight [o, 3, 3, c] of some channels = the sum over the tiles [begin, end).
  void sum_tiles(Range o, Range c, std::int64_t begin, std::int64_t end, float* dweight) const {
    thread_local Scratch scratch;
    const TilePlanes sums(o.count, c.count, micro_kernels().lanes);
    float* const sum = scratch.reserve(sums.floats());
    std::fill_n(sum, sums.floats(), 0.0f);
    const std::int64_t most = std::min<std::int64_t>(kBlockFloats / (kPlanes * (o.count + c.count)), 192);
    const std::int64_t tiles = end - begin, blocks = chunk_count(tiles, most);
    for (std::int64_t block = 0; block < blocks; ++block)
      add_tiles(o, c, begin + even_part(tiles, blocks, block), begin + even_part(tiles, blocks, block + 1),
                sums, sum);
    for (std::int64_t i = 0; i < o.count; ++i) {
      float* taps[9];
      for (std::int64_t r = 0; r < 9; ++r) taps[r] = dweight + ((o.begin + i) * 9 + r) * in.c + c.begin;
      winograd_kernels().filter_grad(sum + i * sums.stride, sums.plane, c.count, taps);
    }
  }
};

}  // namespace

void winograd_weight_grad(const ConvShape& s, const float* x, const float* dy, float* dweight) {
  const TileGrid out = TileGrid::of_outputs(s.n, s.ho, s.wo, s.o);
  const TileGrid in = TileGrid::of_inputs(s.h, s.w, s.c, s.padding_h, s.padding_w, out);
  const std::int64_t tiles = out.count(), weights = s.o * 9 * s.c;
  if (tiles == 0) {
    std::fill_n(dweight, weights, 0.0f);
    return;
  }
  const Plan plan = make_plan(s, tiles);
  Tensor storage = Tensor::empty(Shape{plan.splits == 1 ? 0 : plan.splits * weights});
  float* const partials = plan.splits == 1 ? dweight : storage.mutable_data<float>();
  const WeightGrad pass{in, out, x, dy};
  const std::int64_t ranges = plan.o_ranges * plan.c_ranges;
  parallel_for(plan.splits * ranges, 1, [&](std::int64_t task, std::int64_t) {
    const std::int64_t split = task / ranges, range = task % ranges;
    pass.sum_tiles(part(s.o, plan.o_ranges, range / plan.c_ranges),
                   part(s.c, plan.c_ranges, range % plan.c_ranges), even_part(tiles, plan.splits, split),
                   even_part(tiles, plan.splits, split + 1), partials + split * weights);
  });
  if (plan.splits == 1) return;
  parallel_for(weights, 16384, [&](std::int64_t begin, std::int64_t end) {
    std::copy(partials + begin, partials + end, dweight + begin);
    for (std::int64_t split = 1; split < plan.splits; ++split)
      for (std::int64_t i = begin; i < end; ++i) dweight[i] += partials[split * weights + i];
  });
}

}  // namespace noisymix::cpu
