#include "engine/cpu/conv_geometry.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/parallel.h"

namespace noisymix::cpu {

namespace {

/// Taps along one axis through which input positions phase, phase + stride, ... receive gradient, and for
/// each the position of dy it comes from, counted from the index of the input position within its phase.
struct PhaseTap {
  std::int64_t tap, offset;
};
std::vector<PhaseTap> phase_taps(std::int64_t phase, std::int64_t taps, std::int64_t stride,
                                 std::int64_t padding, std::int64_t dilation) {
  std::vector<PhaseTap> result;
  for (std::int64_t r = taps - 1; r >= 0; --r) {  // falling, so that positions of dy rise
    const std::int64_t distance = phase + padding - r * dilation;
    if (distance % stride == 0) result.push_back({r, distance / stride});
  }
  return result;
}

}  // namespace

PixelGrid forward_grid(const ConvShape& s, std::int64_t group) {
  PixelGrid grid{s.n,  s.h,        s.w,        s.c, group * s.group_c(), s.group_c(), s.ho,
                 s.wo, s.stride_h, s.stride_w, {}};
  for (std::int64_t r = 0; r < s.kh; ++r)
    for (std::int64_t q = 0; q < s.kw; ++q)
      grid.taps.push_back({r * s.dilation_h - s.padding_h, q * s.dilation_w - s.padding_w});
  return grid;
}

InputGradGrid input_grad_grid(const ConvShape& s, std::int64_t group, std::int64_t phase_h,
                              std::int64_t phase_w) {
  const std::int64_t rows = std::max<std::int64_t>(0, chunk_count(s.h - phase_h, s.stride_h)),
                     cols = std::max<std::int64_t>(0, chunk_count(s.w - phase_w, s.stride_w));
  InputGradGrid result{{s.n, s.ho, s.wo, s.o, group * s.group_o(), s.group_o(), rows, cols, 1, 1, {}}, {}};
  for (const PhaseTap& r : phase_taps(phase_h, s.kh, s.stride_h, s.padding_h, s.dilation_h)) {
    for (const PhaseTap& q : phase_taps(phase_w, s.kw, s.stride_w, s.padding_w, s.dilation_w)) {
      result.grid.taps.push_back({r.offset, q.offset});
      result.weight_taps.push_back(r.tap * s.kw + q.tap);
    }
  }
  return result;
}

TapRange::TapRange(const std::vector<Tap>& taps) {
  if (taps.empty()) return;
  const auto [top, bottom] =
      std::minmax_element(taps.begin(), taps.end(), [](const Tap& a, const Tap& b) { return a.dh < b.dh; });
  const auto [left, right] =
      std::minmax_element(taps.begin(), taps.end(), [](const Tap& a, const Tap& b) { return a.dw < b.dw; });
  low_h = top->dh, high_h = bottom->dh, low_w = left->dw, high_w = right->dw;
}

PixelBlocks::PixelBlocks(const float* data, const PixelGrid& grid, std::int64_t pixels)
    : data_(data), grid_(grid), range_(grid.taps) {
  const std::int64_t map = std::max<std::int64_t>(1, grid.rows * grid.cols);
  images_ = std::max<std::int64_t>(1, pixels / map);
  const std::int64_t row_blocks = map <= pixels ? 1 : chunk_count(map, pixels);
  rows_ = std::max<std::int64_t>(1, chunk_count(grid.rows, row_blocks));
  image_blocks_ = grid.rows * grid.cols == 0 ? 0 : chunk_count(grid.n, images_);
  row_blocks_ = chunk_count(grid.rows, rows_);
}

void PixelBlocks::load(std::int64_t index, PixelBlock& block) const {
  const PixelGrid& s = grid_;
  block.image = index / row_blocks_ * images_;
  block.images = std::min(images_, s.n - block.image);
  block.row = index % row_blocks_ * rows_;
  block.rows = std::min(rows_, s.rows - block.row);

  // The rectangle of input positions that any tap of this block reads.
  const std::int64_t top = block.row * s.step_h + range_.low_h, left = range_.low_w;
  const std::int64_t height = (block.rows - 1) * s.step_h + range_.high_h - range_.low_h + 1;
  const std::int64_t width = (s.cols - 1) * s.step_w + range_.high_w - range_.low_w + 1;
  const bool inside = s.taps.empty() || (top >= 0 && left >= 0 && top + height <= s.h && left + width <= s.w);
  if (!inside)
    copy_region(block, top, height, left, width);
  else
    block.base = data_ + ((block.image * s.h + top) * s.w + left) * s.c + s.first;

  const std::int64_t step = inside ? s.c : s.channels, line = (inside ? s.w : width) * step;
  const std::int64_t map = (inside ? s.h : height) * line;
  block.offsets.resize(static_cast<std::size_t>(block.images * block.rows * s.cols));
  std::int64_t* offset = block.offsets.data();
  for (std::int64_t image = 0; image < block.images; ++image)
    for (std::int64_t i = 0; i < block.rows; ++i)
      for (std::int64_t j = 0; j < s.cols; ++j)
        *offset++ = image * map + i * s.step_h * line + j * s.step_w * step;
  block.segments.clear();
  for (const Tap& tap : s.taps) {
    const std::int64_t begin = (tap.dh - range_.low_h) * line + (tap.dw - range_.low_w) * step;
    const bool joins =
        !block.segments.empty() && block.segments.back().offset + block.segments.back().length == begin;
    if (joins)
      block.segments.back().length += s.channels;
    else
      block.segments.push_back({begin, s.channels});
  }
}

void PixelBlocks::copy_region(PixelBlock& block, std::int64_t top, std::int64_t height, std::int64_t left,
                              std::int64_t width) const {
  const PixelGrid& s = grid_;
  constexpr std::size_t kAlign = 16;  // floats in a cache line
  block.copy.resize(static_cast<std::size_t>(block.images * height * width * s.channels) + kAlign);
  const std::size_t misaligned = reinterpret_cast<std::uintptr_t>(block.copy.data()) / sizeof(float) % kAlign;
  float* target = block.copy.data() + (kAlign - misaligned) % kAlign;
  block.base = target;
  const std::int64_t line = width * s.channels;
  const std::int64_t begin = std::clamp<std::int64_t>(-left, 0, width);
  const std::int64_t end = std::clamp<std::int64_t>(s.w - left, begin, width);
  for (std::int64_t image = block.image; image < block.image + block.images; ++image) {
    for (std::int64_t row = top; row < top + height; ++row, target += line) {
      if (row < 0 || row >= s.h) {
        std::fill_n(target, line, 0.0f);
        continue;
      }
      std::fill_n(target, begin * s.channels, 0.0f);
      std::fill(target + end * s.channels, target + line, 0.0f);
      const float* source = data_ + ((image * s.h + row) * s.w + left + begin) * s.c + s.first;
      if (s.channels == s.c) {
        std::copy_n(source, (end - begin) * s.c, target + begin * s.c);
        continue;
      }
      for (std::int64_t j = begin; j < end; ++j, source += s.c)
        std::copy_n(source, s.channels, target + j * s.channels);
    }
  }
}

}  // namespace noisymix::cpu
