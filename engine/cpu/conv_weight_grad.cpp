// Weight gradient of a convolution: sums of outer products of pixels of x and dy.
//
// dweight [o, k], k running over taps and input channels, is cut into ranges of output channels and the
// pixels into splits; one task sums one split of one range into a partial result of its own, and the partial
// results are added in order. Neither cut depends on the thread count, so neither do the bits of the sum.
#include <algorithm>

#include "engine/cpu/conv.h"
#include "engine/cpu/conv_method.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/winograd.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kBlockPixels = 192;           // a strip of x and dy for these stays in L1 or L2
constexpr std::int64_t kPartialFloats = 160 * 1024;  // one partial result should stay in L2
constexpr std::int64_t kTasks = 16;

std::int64_t round_up(std::int64_t value, std::int64_t step) {
  return chunk_count(value, step) * step;
}

/// How the work of one group is cut.
struct Plan {
  bool vectors_over_x;   // vectors run over the taps and channels of x (else over the output channels)
  std::int64_t ranges;   // of output channels
  std::int64_t splits;   // of pixel blocks
  std::int64_t partial;  // floats of one partial result of all output channels
};

Plan make_plan(const ConvShape& s, std::int64_t blocks) {
  const int lanes = micro_kernels().lanes;
  // Vectors over x need no copy of dy and reuse x best, but would read past runs that whole vectors do not
  // fill, as in a first layer with 3 channels. The kw taps of a row are one run when they lie side by side.
  const bool joined = s.groups == 1 && s.dilation_w == 1;
  Plan plan;
  plan.vectors_over_x = s.group_c() % lanes == 0 || (joined && s.kw * s.c % lanes == 0);
  plan.partial = s.depth() * (plan.vectors_over_x ? s.group_o() : round_up(s.group_o(), lanes));
  const std::int64_t most = chunk_count(s.group_o(), lanes);
  plan.ranges =
      plan.vectors_over_x ? std::clamp<std::int64_t>(chunk_count(plan.partial, kPartialFloats), 1, most) : 1;
  plan.splits =
      std::clamp<std::int64_t>(chunk_count(kTasks, plan.ranges), 1, std::max<std::int64_t>(1, blocks));
  return plan;
}

/// The dy of a block's pixels, output channels [first, last) of s.o: in place, or copied with columns of
/// zeros up to whole vectors.
struct GradientRows {
  std::vector<std::int64_t> offsets;
  std::vector<float> copy;
  const float* data = nullptr;

  void load(const ConvShape& s, const PixelBlock& block, const float* dy, std::int64_t first,
            std::int64_t count, std::int64_t padded) {
    const std::int64_t pixels = block.pixels();
    const float* source =
        dy + (block.image * s.ho + block.row) * s.wo * s.o + first;  // a block's pixels are consecutive
    offsets.resize(static_cast<std::size_t>(pixels));
    const bool in_place = count == padded;
    for (std::int64_t p = 0; p < pixels; ++p)
      offsets[static_cast<std::size_t>(p)] = p * (in_place ? s.o : padded);
    data = source;
    if (in_place) return;
    copy.resize(static_cast<std::size_t>(pixels * padded));
    data = copy.data();
    for (std::int64_t p = 0; p < pixels; ++p) {
      float* row = copy.data() + p * padded;
      std::fill(std::copy_n(source + p * s.o, count, row), row + padded, 0.0f);
    }
  }
};

/// Sums output channels [begin, end) of one group over the blocks [first, last) into `partial`: [o, k] with
/// vectors over x, [k, o rounded up] otherwise.
void sum_blocks(const ConvShape& s, const PixelBlocks& blocks, const Plan& plan, const float* dy,
                std::int64_t first, std::int64_t last, std::int64_t group, std::int64_t begin,
                std::int64_t end, float* partial) {
  thread_local PixelBlock block;
  thread_local GradientRows gradient;
  const std::int64_t depth = s.depth(), count = end - begin;
  const std::int64_t columns = plan.vectors_over_x ? count : round_up(count, micro_kernels().lanes);
  float* const sum = plan.vectors_over_x ? partial + begin * depth : partial;
  std::fill_n(sum, depth * columns, 0.0f);
  for (std::int64_t index = first; index < last; ++index) {
    blocks.load(index, block);
    gradient.load(s, block, dy, group * s.group_o() + begin, count, columns);
    const OuterSide dy_side{gradient.data, gradient.offsets.data()};
    std::int64_t k = 0;
    for (const Segment& segment : block.segments) {
      const OuterSide x_side{block.base + segment.offset, block.offsets.data()};
      if (plan.vectors_over_x)
        add_outer_products(dy_side, count, x_side, segment.length, block.pixels(), sum + k, depth);
      else
        add_outer_products(x_side, segment.length, dy_side, columns, block.pixels(), sum + k * columns,
                           columns);
      k += segment.length;
    }
  }
}

/// dweight [o, k] = sum of the splits' partial results in order.
void add_partials(const ConvShape& s, const Plan& plan, const float* partials, float* dweight) {
  const std::int64_t depth = s.depth(), columns = round_up(s.group_o(), micro_kernels().lanes);
  parallel_for(
      s.group_o(), std::max<std::int64_t>(1, 4096 / depth), [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t o = begin; o < end; ++o) {
          float* row = dweight + o * depth;
          std::fill_n(row, depth, 0.0f);
          for (std::int64_t split = 0; split < plan.splits; ++split) {
            const float* partial = partials + split * plan.partial + (plan.vectors_over_x ? o * depth : o);
            const std::int64_t step = plan.vectors_over_x ? 1 : columns;
            for (std::int64_t k = 0; k < depth; ++k) row[k] += partial[k * step];
          }
        }
      });
}

}  // namespace

void conv2d_weight_grad_f32(const ConvShape& s, const float* x, const float* dy, float* dweight) {
  if (use_winograd(s)) return winograd_weight_grad(s, x, dy, dweight);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const PixelBlocks blocks(x, forward_grid(s, group), kBlockPixels);
    const Plan plan = make_plan(s, blocks.count());
    float* target = dweight + group * s.group_o() * s.depth();
    const bool direct = plan.splits == 1 && plan.vectors_over_x;
    Tensor storage = Tensor::empty(Shape{direct ? 0 : plan.splits * plan.partial});
    float* partials = direct ? target : storage.mutable_data<float>();
    parallel_for(plan.splits * plan.ranges, 1, [&](std::int64_t task, std::int64_t) {
      const std::int64_t split = task / plan.ranges, range = task % plan.ranges;
      sum_blocks(s, blocks, plan, dy, even_part(blocks.count(), plan.splits, split),
                 even_part(blocks.count(), plan.splits, split + 1), group,
                 even_part(s.group_o(), plan.ranges, range), even_part(s.group_o(), plan.ranges, range + 1),
                 partials + split * plan.partial);
    });
    if (!direct) add_partials(s, plan, partials, target);
  }
}

}  // namespace noisymix::cpu
