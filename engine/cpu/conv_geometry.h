// Where the taps of a convolution fall: shared by the forward pass, both gradients and the reference.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/micro_kernels.h"
#include "engine/ops/conv_shape.h"

namespace noisymix::cpu {

/// Position read by one tap, counted from the position a pixel starts at.
struct Tap {
  std::int64_t dh, dw;
};

/// What a pass reads: the channels [first, first + channels) of feature maps [n, h, w, c]. Pixel (i, j) of a
/// grid of rows x cols reads, for every tap in order, position (i * step_h + dh, j * step_w + dw); outside
/// the map are zeros.
struct PixelGrid {
  std::int64_t n, h, w, c, first, channels;
  std::int64_t rows, cols, step_h, step_w;
  std::vector<Tap> taps;
};

/// Smallest and largest offsets of the taps; zeros when there are none.
struct TapRange {
  std::int64_t low_h = 0, high_h = 0, low_w = 0, high_w = 0;
  explicit TapRange(const std::vector<Tap>& taps);
};

/// Pixels of a few images, or of a few rows of one image, that one thread works on at a time.
struct PixelBlock {
  std::int64_t image, images, row, rows;  // which pixels: images * rows * cols of them
  const float* base;                      // the input itself, or a copy with its border of zeros
  std::vector<std::int64_t> offsets;      // start of each pixel from base
  std::vector<Segment> segments;          // the taps from a pixel's start; neighbours in memory are joined
  std::vector<float> copy;

  std::int64_t pixels() const { return static_cast<std::int64_t>(offsets.size()); }
};

/// Cuts the pixels of all images into blocks. Which pixels form a block never depends on the thread count.
class PixelBlocks {
 public:
  /// Blocks of about `pixels` pixels of the maps `data`: several whole images, or full rows of one.
  PixelBlocks(const float* data, const PixelGrid& grid, std::int64_t pixels);

  std::int64_t count() const { return image_blocks_ * row_blocks_; }
  /// Fills in block number `index`. The input is copied only where taps reach outside the map.
  void load(std::int64_t index, PixelBlock& block) const;

 private:
  void copy_region(PixelBlock& block, std::int64_t top, std::int64_t height, std::int64_t left,
                   std::int64_t width) const;

  const float* data_;
  PixelGrid grid_;
  std::int64_t images_, rows_, image_blocks_, row_blocks_;
  TapRange range_;
};

/// The pass that computes y: pixels are those of y, taps in the order of the weight.
PixelGrid forward_grid(const ConvShape& shape, std::int64_t group);

/// The pass that computes dx at positions (phase_h + i * stride_h, phase_w + j * stride_w): a convolution of
/// dy with the taps that reach them. Taps are in the order of `weight_taps`, numbers r * kw + q of the
/// weight's.
struct InputGradGrid {
  PixelGrid grid;
  std::vector<std::int64_t> weight_taps;
};
InputGradGrid input_grad_grid(const ConvShape& shape, std::int64_t group, std::int64_t phase_h,
                              std::int64_t phase_w);

}  // namespace noisymix::cpu
