// Forward pass and input gradient of a convolution: rows of pixels times packed weights.
#include "engine/cpu/conv.h"

#include <algorithm>

#include "engine/cpu/conv_method.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/winograd.h"

namespace noisymix::cpu {
namespace {

/// Where a pass writes: pixel (i, j) goes to (row + i * step_h, col + j * step_w) of maps [n, h, w, c], from
/// channel `first` on.
struct PixelTarget {
  float* data;
  std::int64_t h, w, c, first;
  std::int64_t row, col, step_h, step_w;
};

/// Pixels per block: enough to reuse a panel of weights fetched from memory, few enough for their input to
/// stay in L2.
std::int64_t block_pixels(std::int64_t channels) {
  return std::clamp<std::int64_t>(65536 / channels, 96, 384);
}

void convolve(const float* data, const PixelGrid& grid, const PackedPanels& panels, const float* bias,
              const PixelTarget& target) {
  const PixelBlocks blocks(data, grid, block_pixels(grid.channels));
  parallel_for(blocks.count(), 1, [&](std::int64_t index, std::int64_t) {
    thread_local PixelBlock block;
    thread_local std::vector<std::int64_t> outputs;
    blocks.load(index, block);
    outputs.resize(block.offsets.size());
    std::int64_t* output = outputs.data();
    for (std::int64_t image = block.image; image < block.image + block.images; ++image)
      for (std::int64_t i = block.row; i < block.row + block.rows; ++i)
        for (std::int64_t j = 0; j < grid.cols; ++j)
          *output++ = ((image * target.h + target.row + i * target.step_h) * target.w + target.col +
                       j * target.step_w) *
                          target.c +
                      target.first;
    const RowBatch rows{block.base,
                        block.offsets.data(),
                        block.segments.data(),
                        static_cast<std::int64_t>(block.segments.size()),
                        target.data,
                        outputs.data(),
                        block.pixels()};
    multiply_rows(rows, panels, 0, panels.count(), bias);
  });
}

/// The gradient of the input positions of one phase.
void input_grad_phase(const ConvShape& s, const float* dy, const float* weight, float* dx, std::int64_t group,
                      std::int64_t phase_h, std::int64_t phase_w) {
  const InputGradGrid pass = input_grad_grid(s, group, phase_h, phase_w);
  if (pass.grid.rows * pass.grid.cols == 0) return;
  std::vector<std::int64_t> weight_rows;
  for (const std::int64_t tap : pass.weight_taps)
    for (std::int64_t o = 0; o < s.group_o(); ++o)
      weight_rows.push_back(((group * s.group_o() + o) * s.kh * s.kw + tap) * s.group_c());
  const PackedPanels panels(weight, weight_rows, s.group_c(), 1);
  convolve(dy, pass.grid, panels, nullptr,
           {dx, s.h, s.w, s.c, group * s.group_c(), phase_h, phase_w, s.stride_h, s.stride_w});
}

}  // namespace

void conv2d_f32(const ConvShape& s, const float* x, const float* weight, const float* bias, float* y) {
  if (use_winograd(s)) return winograd_forward(s, x, weight, bias, y);
  std::vector<std::int64_t> weight_rows(static_cast<std::size_t>(s.depth()));
  for (std::size_t k = 0; k < weight_rows.size(); ++k) weight_rows[k] = static_cast<std::int64_t>(k);
  for (std::int64_t group = 0; group < s.groups; ++group) {
    const std::int64_t first = group * s.group_o();
    const PackedPanels panels(weight + first * s.depth(), weight_rows, s.group_o(), s.depth());
    convolve(x, forward_grid(s, group), panels, bias == nullptr ? nullptr : bias + first,
             {y, s.ho, s.wo, s.o, first, 0, 0, 1, 1});
  }
}

void conv2d_input_grad_f32(const ConvShape& s, const float* dy, const float* weight, float* dx) {
  if (use_winograd(s)) return winograd_input_grad(s, dy, weight, dx);
  for (std::int64_t group = 0; group < s.groups; ++group)
    for (std::int64_t phase_h = 0; phase_h < s.stride_h; ++phase_h)
      for (std::int64_t phase_w = 0; phase_w < s.stride_w; ++phase_w)
        input_grad_phase(s, dy, weight, dx, group, phase_h, phase_w);
}

}  // namespace noisymix::cpu
