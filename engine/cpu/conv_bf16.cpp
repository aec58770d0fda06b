// Forward pass and input gradient of a bf16 convolution: tiles of pixels times packed weights.
#include "engine/cpu/conv_bf16.h"

#include <algorithm>

#include "engine/cpu/packed_tiles.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/tile_blocks.h"
#include "engine/cpu/vectorise.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kPair = 2 * kTileColumns;  // columns of two tiles side by side

const std::uint16_t* bits(const bfloat16* x) {
  return reinterpret_cast<const std::uint16_t*>(x);
}

/// Where a pass writes: pixel (i, j) goes to (row + i * step_h, col + j * step_w) of maps [n, h, w, c], from
/// channel `first` on.
struct TileTarget {
  bfloat16* data;
  const bfloat16* residual;  // same layout, added; or null
  std::int64_t h, w, c, first;
  std::int64_t row, col, step_h, step_w;

  std::int64_t offset(std::int64_t image, std::int64_t i, std::int64_t j) const {
    return ((image * h + row + i * step_h) * w + col + j * step_w) * c + first;
  }
};

/// A ConvEpilogue from some output channel on; pointers are null where there is nothing to do.
struct RowFinish {
  const float *bias = nullptr, *scale = nullptr, *shift = nullptr;
  bool relu = false;

  RowFinish from(std::int64_t channel) const {
    const auto at = [channel](const float* p) { return p == nullptr ? p : p + channel; };
    return {at(bias), at(scale), at(shift), relu};
  }
  bool plain() const { return bias == nullptr && scale == nullptr && !relu; }
};

/// Finishes one row of sums; `residual` may be null. Inlined with a constant count for full rows.
[[gnu::always_inline]] inline void finish_row(const float* NM_RESTRICT sums, std::int64_t columns,
                                              const RowFinish& k, const bfloat16* residual,
                                              bfloat16* NM_RESTRICT y) {
  float row[kPair];
  for (std::int64_t j = 0; j < columns; ++j) row[j] = sums[j];
  if (k.bias != nullptr)
    for (std::int64_t j = 0; j < columns; ++j) row[j] += k.bias[j];
  if (residual != nullptr)
    for (std::int64_t j = 0; j < columns; ++j) row[j] += static_cast<float>(residual[j]);
  if (k.scale != nullptr)
    for (std::int64_t j = 0; j < columns; ++j) row[j] = row[j] * k.scale[j] + k.shift[j];
  if (k.relu)
    for (std::int64_t j = 0; j < columns; ++j) row[j] = row[j] < 0.0f ? 0.0f : row[j];
  for (std::int64_t j = 0; j < columns; ++j) y[j] = bfloat16(row[j]);
}

/// Finishes rows of 32 sums, of which `columns` are real, and rounds them.
NM_VECTORISED(finish_rows,
              (const float* sums, std::int64_t rows, std::int64_t columns, const RowFinish& k,
               const bfloat16* residual, bfloat16* y, std::int64_t distance),
              (sums, rows, columns, k, residual, y, distance)) {
  for (std::int64_t i = 0; i < rows; ++i) {
    const bfloat16* skip = residual == nullptr ? residual : residual + i * distance;
    if (columns == kPair)
      finish_row(sums + i * kPair, kPair, k, skip, y + i * distance);
    else
      finish_row(sums + i * kPair, columns, k, skip, y + i * distance);
  }
}

/// Multiplies the tiles of one site with two columns of tiles (or the last one), and stores the results.
void multiply_site(const TileKernels& kernels, const TileSite& site, std::int64_t a_stride,
                   std::int64_t row_step, const PackedTiles& weights, std::int64_t tile,
                   const RowFinish& finish, const TileTarget& target) {
  alignas(64) float results[2 * kTileRows * kPair];
  const int columns = tile + 1 < weights.tiles() ? 2 : 1;
  const std::int64_t first = tile * kTileColumns, width = std::min(kPair, weights.columns() - first);
  const RowFinish own = finish.from(first);
  TileProduct product{};
  product.a_offsets = site.a_offsets.data();
  product.a_stride = a_stride;
  product.b[0] = weights.data(tile);
  if (columns == 2) product.b[1] = weights.data(tile + 1);
  product.b_offsets = site.b_offsets.data();
  product.b_stride = kPair;
  product.steps = static_cast<std::int64_t>(site.a_offsets.size());
  product.c = results;
  product.c_stride = kPair;
  for (std::size_t t = 0; t < site.tiles.size(); t += 2) {
    const int rows = t + 1 < site.tiles.size() ? 2 : 1;
    for (int i = 0; i < rows; ++i) product.a[i] = site.tiles[t + static_cast<std::size_t>(i)].data;
    kernels.product[rows][columns](product);
    for (int i = 0; i < rows; ++i) {
      const TileSite::Start& start = site.tiles[t + static_cast<std::size_t>(i)];
      const float* sums = results + i * kTileRows * kPair;
      const std::int64_t at = target.offset(start.image, start.row, start.col) + first;
      const bfloat16* residual = target.residual == nullptr ? nullptr : target.residual + at;
      if (width == kPair && residual == nullptr && own.plain())
        kernels.round_rows(sums, start.rows, reinterpret_cast<std::uint16_t*>(target.data + at), row_step);
      else
        finish_rows(sums, start.rows, width, own, residual, target.data + at, row_step);
    }
  }
}

void convolve(const TileBlocks& blocks, const PackedTiles& weights, const RowFinish& finish,
              const TileTarget& target) {
  const std::int64_t row_step =
      blocks.by_pixels() ? target.step_w * target.c : target.h * target.w * target.c;
  parallel_for(blocks.count(), 1, [&](std::int64_t index, std::int64_t) {
    thread_local TileBlock block;
    const TileSession session;
    blocks.load(index, block);
    for (std::int64_t tile = 0; tile < weights.tiles(); tile += 2)
      for (std::size_t i = 0; i < block.site_count; ++i)
        multiply_site(session.kernels(), block.sites[i], blocks.row_distance(block), row_step, weights, tile,
                      finish, target);
  });
}

/// Calls body(weight) with the weight's elements as const float* or const bfloat16*.
template <typename Body>
void with_weight(const Tensor& weight, Body body) {
  if (weight.dtype() == Dtype::bf16)
    body(weight.data<bfloat16>());
  else
    body(weight.data<float>());
}

}  // namespace

void conv2d_bf16(const ConvShape& s, const Tensor& x, const Tensor& weight, const ConvEpilogue& epilogue,
                 Tensor& y) {
  const Tensor bias = epilogue.bias.defined() ? epilogue.bias.to(Dtype::f32) : Tensor();
  const auto values = [](const Tensor& t) { return t.defined() ? t.data<float>() : nullptr; };
  const RowFinish finish{values(bias), values(epilogue.scale), values(epilogue.shift), epilogue.relu};
  const bfloat16* skip = epilogue.residual.defined() ? epilogue.residual.data<bfloat16>() : nullptr;
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const std::int64_t first = group * s.group_o();
    const TileBlocks blocks(bits(x.data<bfloat16>()), forward_grid(s, group));
    with_weight(weight, [&](const auto* w) {
      const PackedTiles packed(w + first * s.depth(), blocks.weight_rows(), s.group_o(), 1, s.depth());
      convolve(blocks, packed, finish.from(first),
               {y.mutable_data<bfloat16>(), skip, s.ho, s.wo, s.o, first, 0, 0, 1, 1});
    });
  }
}

void conv2d_input_grad_bf16(const ConvShape& s, const Tensor& dy, const Tensor& weight, Tensor& dx) {
  for (std::int64_t group = 0; group < s.groups; ++group) {
    for (std::int64_t phase = 0; phase < s.stride_h * s.stride_w; ++phase) {
      const std::int64_t phase_h = phase / s.stride_w, phase_w = phase % s.stride_w;
      const InputGradGrid pass = input_grad_grid(s, group, phase_h, phase_w);
      if (pass.grid.rows * pass.grid.cols == 0) continue;
      const TileBlocks blocks(bits(dy.data<bfloat16>()), pass.grid);
      std::vector<std::int64_t> rows;  // of the weight, in units of its [c / groups] runs
      for (const std::int64_t row : blocks.weight_rows()) {
        const std::int64_t tap = row < 0 ? 0 : pass.weight_taps[static_cast<std::size_t>(row / s.group_o())];
        rows.push_back(row < 0 ? -1 : (group * s.group_o() + row % s.group_o()) * s.kh * s.kw + tap);
      }
      with_weight(weight, [&](const auto* w) {
        const PackedTiles packed(w, rows, s.group_c(), s.group_c(), 1);
        convolve(blocks, packed, {},
                 {dx.mutable_data<bfloat16>(), nullptr, s.h, s.w, s.c, group * s.group_c(), phase_h, phase_w,
                  s.stride_h, s.stride_w});
      });
    }
  }
}

template <typename W>
void gemm_bf16(std::int64_t m, std::int64_t n, std::int64_t k, const bfloat16* a, const W* b,
               std::int64_t row_stride, std::int64_t col_stride, const float* bias, bfloat16* c) {
  const TileBlocks blocks(bits(a), PixelGrid{m, 1, 1, k, 0, k, 1, 1, 1, 1, {{0, 0}}});
  const PackedTiles packed(b, blocks.weight_rows(), n, row_stride, col_stride);
  convolve(blocks, packed, {bias, nullptr, nullptr, false}, {c, nullptr, 1, 1, n, 0, 0, 0, 1, 1});
}

template void gemm_bf16(std::int64_t, std::int64_t, std::int64_t, const bfloat16*, const float*, std::int64_t,
                        std::int64_t, const float*, bfloat16*);
template void gemm_bf16(std::int64_t, std::int64_t, std::int64_t, const bfloat16*, const bfloat16*,
                        std::int64_t, std::int64_t, const float*, bfloat16*);

}  // namespace noisymix::cpu
