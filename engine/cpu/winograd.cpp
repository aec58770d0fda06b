// Forward pass and input gradient by Winograd's algorithm.
//
// A task takes a block of tiles through all steps: transformed inputs V and the products M of one panel of
// output channels at a time stay in L2 of its core. Only the transformed filter exists as a whole.
#include "engine/cpu/winograd.h"

#include <algorithm>

#include "engine/cpu/gemm.h"
#include "engine/cpu/micro_kernels.h"
#include "engine/cpu/winograd_tiles.h"

namespace noisymix::cpu {
namespace {

constexpr int kPlanes = WinogradKernels::kPlanes;
constexpr std::int64_t kBlockFloats = 300 * 1024;          // V and M of a block: 1.2 MB of L2
constexpr std::int64_t kLeastTiles = 24, kMostTiles = 96;  // in a block; between 48 and 192 speed is flat

/// How the filter of a pass lies in memory: tap r of (depth k, column j) is number
/// r * tap + k * row + j * col from `first`.
struct FilterView {
  const float* first;
  std::int64_t tap, row, col;
};

/// The transformed filter [panel][plane][depth][width]: panels as in gemm.h, filled up with zeros.
class FilterPlanes {
 public:
  FilterPlanes(const FilterView& filter, std::int64_t depth, std::int64_t columns)
      : depth_(depth), columns_(columns), lanes_(micro_kernels().lanes) {
    width_ = micro_kernels().row_vectors * lanes_;
    storage_ = Tensor::empty(Shape{count() * kPlanes * depth_ * width_});
    data_ = storage_.mutable_data<float>();
    const std::int64_t blocks = chunk_count(depth_, kDepthBlock);
    parallel_for(count() * blocks, 1, [&](std::int64_t task, std::int64_t) {
      transform(filter, task / blocks, task % blocks * kDepthBlock);
    });
  }

  std::int64_t count() const { return chunk_count(columns_, width_); }
  std::int64_t width() const { return width_; }
  std::int64_t columns(std::int64_t panel) const { return std::min(width_, columns_ - panel * width_); }
  std::int64_t vectors(std::int64_t panel) const { return chunk_count(columns(panel), lanes_); }
  const float* data(std::int64_t panel, int plane) const {
    return data_ + panel * kPlanes * depth_ * width_ + plane * depth_ * vectors(panel) * lanes_;
  }

 private:
  static constexpr std::int64_t kDepthBlock = 16;  // a cache line of the weights when depth is contiguous

  void transform(const FilterView& filter, std::int64_t panel, std::int64_t begin) {
    alignas(64) float taps[kDepthBlock][9][MicroKernels::kMaxVectors * 16];
    const std::int64_t real = columns(panel), padded = vectors(panel) * lanes_;
    const std::int64_t depth = std::min(kDepthBlock, depth_ - begin);
    const float* source = filter.first + begin * filter.row + panel * width_ * filter.col;
    if (filter.col != 1)  // depth is the contiguous axis then: transposed here
      for (std::int64_t r = 0; r < 9; ++r)
        for (std::int64_t j = 0; j < real; ++j)
          for (std::int64_t k = 0; k < depth; ++k)
            taps[k][r][j] = source[r * filter.tap + k * filter.row + j * filter.col];
    float* target = data_ + panel * kPlanes * depth_ * width_ + begin * padded;
    for (std::int64_t k = 0; k < depth; ++k, target += padded) {
      const float* pointers[9];
      for (std::int64_t r = 0; r < 9; ++r)
        pointers[r] = filter.col == 1 ? source + r * filter.tap + k * filter.row : taps[k][r];
      winograd_kernels().filter(pointers, real, target, depth_ * padded);
    }
  }

  std::int64_t depth_, columns_, lanes_, width_;
  Tensor storage_;
  float* data_;
};

/// c [tiles, vectors * lanes] = v [tiles, depth] * panel.
void multiply_plane(const MicroKernels& kernels, std::int64_t tiles, std::int64_t depth, const float* v,
                    std::int64_t v_stride, const float* panel, std::int64_t vectors, float* m,
                    std::int64_t m_stride) {
  const Segment segment{0, depth};
  const float* a[MicroKernels::kMaxHeight];
  float* c[MicroKernels::kMaxHeight];
  const RowTile tile{a, &segment, 1, panel, nullptr, c, false};
  const std::int64_t parts = chunk_count(tiles, kernels.row_height[vectors]);
  for (std::int64_t part = 0; part < parts; ++part) {
    const std::int64_t begin = even_part(tiles, parts, part),
                       height = even_part(tiles, parts, part + 1) - begin;
    for (std::int64_t i = 0; i < height; ++i) {
      a[i] = v + (begin + i) * v_stride;
      c[i] = m + (begin + i) * m_stride;
    }
    kernels.row[vectors][height](tile);
  }
}

/// A whole pass: tiles of `in` to tiles of `out`. bias [out.c] or null.
struct Pass {
  TileGrid in, out;
  const float* source;
  const float* bias;
  float* target;

  void run_block(const FilterPlanes& filter, std::int64_t begin, std::int64_t end) const {
    thread_local Scratch scratch;
    const MicroKernels& kernels = micro_kernels();
    const std::int64_t tiles = end - begin, width = filter.width();
    const TilePlanes v(tiles, in.c, kernels.lanes), m(tiles, width, kernels.lanes);
    float* const inputs = scratch.reserve(v.floats() + m.floats());
    float* const products = inputs + v.floats();
    transform_tiles<4>(winograd_kernels().input, in, source, 0, in.c, begin, end, v, inputs);
    for (std::int64_t panel = 0; panel < filter.count(); ++panel) {
      for (int plane = 0; plane < kPlanes; ++plane)
        multiply_plane(kernels, tiles, in.c, inputs + plane * v.plane, v.stride, filter.data(panel, plane),
                       filter.vectors(panel), products + plane * m.plane, m.stride);
      store_panel(filter, panel, begin, end, products, m);
    }
  }

  /// Transforms the products of a panel back and writes those outputs that exist.
  void store_panel(const FilterPlanes& filter, std::int64_t panel, std::int64_t begin, std::int64_t end,
                   const float* products, const TilePlanes& m) const {
    alignas(64) float shift[MicroKernels::kMaxVectors * 16] = {};
    alignas(64) float outside[MicroKernels::kMaxVectors * 16];
    const std::int64_t first = panel * filter.width(), columns = filter.columns(panel);
    if (bias != nullptr) std::copy_n(bias + first, columns, shift);
    float* pixels[4];
    TileWalk walk(out, begin);
    for (std::int64_t tile = begin; tile < end; ++tile, walk.next(), products += m.stride) {
      walk.pixels<2>(target + first, outside, pixels);
      winograd_kernels().output(products, m.plane, shift, columns, pixels);
    }
  }

  void run(const FilterView& view) const {
    const std::int64_t tiles = out.count();
    if (tiles == 0) return;
    const FilterPlanes filter(view, in.c, out.c);
    const std::int64_t height = micro_kernels().row_height[micro_kernels().row_vectors];
    const std::int64_t fitting = kBlockFloats / (kPlanes * (in.c + filter.width())) / height * height;
    const std::int64_t block = std::clamp<std::int64_t>(fitting, kLeastTiles, kMostTiles);
    const std::int64_t blocks = chunk_count(tiles, block);
    parallel_for(blocks, 1, [&](std::int64_t index, std::int64_t) {
      run_block(filter, even_part(tiles, blocks, index), even_part(tiles, blocks, index + 1));
    });
  }
};

}  // namespace

void winograd_forward(const ConvShape& s, const float* x, const float* weight, const float* bias, float* y) {
  const TileGrid out = TileGrid::of_outputs(s.n, s.ho, s.wo, s.o);
  const TileGrid in = TileGrid::of_inputs(s.h, s.w, s.c, s.padding_h, s.padding_w, out);
  Pass{in, out, x, bias, y}.run({weight, s.c, 1, 9 * s.c});
}

void winograd_input_grad(const ConvShape& s, const float* dy, const float* weight, float* dx) {
  // The convolution of dy with the filter turned by 180 degrees, channels exchanged.
  const TileGrid out = TileGrid::of_outputs(s.n, s.h, s.w, s.c);
  const TileGrid in = TileGrid::of_inputs(s.ho, s.wo, s.o, 2 - s.padding_h, 2 - s.padding_w, out);
  Pass{in, out, dy, nullptr, dx}.run({weight + 8 * s.c, -s.c, 9 * s.c, 1});
}

}  // namespace noisymix::cpu
