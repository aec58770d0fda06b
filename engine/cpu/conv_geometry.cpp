#include "engine/cpu/conv_geometry.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/parallel.h"

namespace noisymix::cpu {

PixelSource forward_source(const ConvShape& s, const float* x, std::int64_t group) {
  PixelSource source{x,           s.n,  s.h,  s.w,        s.c,        group * s.group_c(),
                     s.group_c(), s.ho, s.wo, s.stride_h, s.stride_w, {}};
  for (std::int64_t r = 0; r < s.kh; ++r)
    for (std::int64_t q = 0; q < s.kw; ++q)
      source.taps.push_back({r * s.dilation_h - s.padding_h, q * s.dilation_w - s.padding_w});
  return source;
}

PixelBlocks::PixelBlocks(const PixelSource& source, std::int64_t pixels) : source_(source) {
  const std::int64_t map = std::max<std::int64_t>(1, source.rows * source.cols);
  images_ = std::max<std::int64_t>(1, pixels / map);
  const std::int64_t row_blocks = map <= pixels ? 1 : chunk_count(map, pixels);
  rows_ = std::max<std::int64_t>(1, chunk_count(source.rows, row_blocks));
  image_blocks_ = source.rows * source.cols == 0 ? 0 : chunk_count(source.n, images_);
  row_blocks_ = chunk_count(source.rows, rows_);
  if (source.taps.empty()) return;
  const auto [low_h, high_h] = std::minmax_element(source.taps.begin(), source.taps.end(),
                                                   [](const Tap& a, const Tap& b) { return a.dh < b.dh; });
  const auto [low_w, high_w] = std::minmax_element(source.taps.begin(), source.taps.end(),
                                                   [](const Tap& a, const Tap& b) { return a.dw < b.dw; });
  low_h_ = low_h->dh, high_h_ = high_h->dh, low_w_ = low_w->dw, high_w_ = high_w->dw;
}

void PixelBlocks::load(std::int64_t index, PixelBlock& block) const {
  const PixelSource& s = source_;
  block.image = index / row_blocks_ * images_;
  block.images = std::min(images_, s.n - block.image);
  block.row = index % row_blocks_ * rows_;
  block.rows = std::min(rows_, s.rows - block.row);

  // The rectangle of input positions that any tap of this block reads.
  const std::int64_t top = block.row * s.step_h + low_h_, left = low_w_;
  const std::int64_t height = (block.rows - 1) * s.step_h + high_h_ - low_h_ + 1;
  const std::int64_t width = (s.cols - 1) * s.step_w + high_w_ - low_w_ + 1;
  const bool inside = s.taps.empty() || (top >= 0 && left >= 0 && top + height <= s.h && left + width <= s.w);
  if (!inside)
    copy_region(block, top, height, left, width);
  else
    block.base = s.data + ((block.image * s.h + top) * s.w + left) * s.c + s.first;

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
    const std::int64_t begin = (tap.dh - low_h_) * line + (tap.dw - low_w_) * step;
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
  const PixelSource& s = source_;
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
      const float* source = s.data + ((image * s.h + row) * s.w + left + begin) * s.c + s.first;
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
