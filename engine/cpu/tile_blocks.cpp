#include "engine/cpu/tile_blocks.h"

#include <algorithm>

#include "engine/cpu/parallel.h"
#include "engine/cpu/tile_kernels.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kPixelBlock = 256;          // pixels of a block by pixels: its input stays near L1
constexpr std::int64_t kImageBlock = 32;           // images of a block by images: two tiles
constexpr std::int64_t kCopyNumbers = 256 * 1024;  // a block by images fills a quarter of L2

/// The first position after `i` along one axis at which other taps than at `i` fall inside the map: the ones
/// inside are those between a lowest and a highest offset.
std::int64_t run_end(std::int64_t i, std::int64_t step, std::int64_t low, std::int64_t high,
                     std::int64_t size, std::int64_t positions) {
  const auto lowest = [=](std::int64_t at) { return std::max(low, -at * step); };
  const auto highest = [=](std::int64_t at) { return std::min(high, size - 1 - at * step); };
  std::int64_t end = i + 1;
  while (end < positions && lowest(end) == lowest(i) && highest(end) == highest(i)) ++end;
  return end;
}

}  // namespace

TileBlocks::TileBlocks(const std::uint16_t* data, const PixelGrid& grid)
    : data_(data), grid_(grid), range_(grid.taps) {
  by_pixels_ = grid.cols % kTileRows == 0;
  const std::int64_t width = (grid.cols - 1) * grid.step_w + range_.high_w - range_.low_w + 1;
  const bool inside = range_.low_w >= 0 && range_.low_w + width <= grid.w;
  const bool whole = grid.channels % kTileDepth == 0;
  in_place_ = by_pixels_ && inside && whole;
  width_ = by_pixels_ ? width : grid.w;
  channels_ = by_pixels_ || whole ? grid.channels : chunk_count(grid.channels, kTileDepth) * kTileDepth;

  const std::int64_t map = std::max<std::int64_t>(1, grid.rows * grid.cols);
  std::int64_t row_blocks = 1;
  if (by_pixels_) {
    // Tiles come in pairs: where a row is one tile, its partner is the same row of another image.
    images_ = std::max<std::int64_t>(grid.cols % (2 * kTileRows) == 0 ? 1 : 2, kPixelBlock / map);
    row_blocks = chunk_count(map * images_, 2 * kPixelBlock);
  } else {
    images_ = kImageBlock;
    row_blocks = chunk_count(grid.rows * grid.step_h * grid.w * channels_ * kImageBlock, kCopyNumbers);
  }
  rows_ = std::max<std::int64_t>(1, chunk_count(grid.rows, row_blocks));
  image_blocks_ = grid.rows * grid.cols == 0 ? 0 : chunk_count(grid.n, images_);
  row_blocks_ = chunk_count(grid.rows, rows_);
  plan_steps();
}

void TileBlocks::plan_steps() {
  const std::vector<Tap>& taps = grid_.taps;
  const bool dense = by_pixels_ && !in_place_ && grid_.channels % kTileDepth != 0;
  for (std::size_t t = 0; t < taps.size();) {
    std::size_t end = t + 1;  // taps that lie side by side form one run
    while (dense && end < taps.size() && taps[end].dh == taps[t].dh && taps[end].dw == taps[end - 1].dw + 1)
      ++end;
    const std::int64_t length = static_cast<std::int64_t>(end - t) * grid_.channels;
    for (std::int64_t first = 0; first < length; first += kTileDepth) {
      steps_.push_back({taps[t].dh, taps[t].dw, first});
      for (std::int64_t e = first; e < first + kTileDepth; ++e)
        weight_rows_.push_back(e < length ? static_cast<std::int64_t>(t) * grid_.channels + e : -1);
    }
    t = end;
  }
}

void TileBlocks::load(std::int64_t index, TileBlock& block) const {
  block.image = index / row_blocks_ * images_;
  block.images = std::min(images_, grid_.n - block.image);
  block.row = index % row_blocks_ * rows_;
  block.rows = std::min(rows_, grid_.rows - block.row);
  // Input rows that any tap of this block reads inside the map.
  block.top = std::clamp<std::int64_t>(block.row * grid_.step_h + range_.low_h, 0, grid_.h);
  const std::int64_t bottom = std::clamp<std::int64_t>(
      (block.row + block.rows - 1) * grid_.step_h + range_.high_h + 1, block.top, grid_.h);
  block.left = by_pixels_ && !in_place_ ? -range_.low_w : 0;
  if (in_place_) {
    block.col_stride = grid_.c;
    block.row_stride = grid_.w * grid_.c;
    block.image_stride = grid_.h * block.row_stride;
    block.base = data_ + block.image * block.image_stride + block.top * block.row_stride + grid_.first;
  } else if (by_pixels_) {
    copy_by_pixels(block, bottom);
  } else {
    copy_by_images(block, bottom);
  }
  list_sites(block);
}

void TileBlocks::copy_by_pixels(TileBlock& block, std::int64_t bottom) const {
  const PixelGrid& g = grid_;
  const std::int64_t height = bottom - block.top, line = width_ * g.channels;
  block.col_stride = g.channels, block.row_stride = line, block.image_stride = height * line;
  const std::int64_t total = block.images * block.image_stride;
  block.copy.resize(static_cast<std::size_t>(total + kTileDepth));
  const std::int64_t begin = std::clamp<std::int64_t>(-range_.low_w, 0, width_);
  const std::int64_t end = std::clamp<std::int64_t>(g.w - range_.low_w, begin, width_);
  std::uint16_t* target = block.copy.data();
  block.base = target;
  for (std::int64_t image = block.image; image < block.image + block.images; ++image) {
    for (std::int64_t row = block.top; row < bottom; ++row, target += line) {
      const std::uint16_t* source =
          data_ + ((image * g.h + row) * g.w + range_.low_w + begin) * g.c + g.first;
      std::fill_n(target, begin * g.channels, std::uint16_t{0});
      std::fill(target + end * g.channels, target + line, std::uint16_t{0});
      if (g.channels == g.c) {
        std::copy_n(source, (end - begin) * g.c, target + begin * g.c);
        continue;
      }
      for (std::int64_t j = begin; j < end; ++j, source += g.c)
        std::copy_n(source, g.channels, target + j * g.channels);
    }
  }
  std::fill_n(target, kTileDepth, std::uint16_t{0});  // the last step of the last row may read on
}

void TileBlocks::copy_by_images(TileBlock& block, std::int64_t bottom) const {
  const PixelGrid& g = grid_;
  const std::int64_t height = bottom - block.top;
  block.image_stride = channels_, block.col_stride = kImageBlock * channels_;
  block.row_stride = g.w * block.col_stride;
  block.copy.resize(static_cast<std::size_t>(height * block.row_stride));
  block.base = block.copy.data();
  for (std::int64_t row = 0; row < height; ++row) {
    for (std::int64_t i = 0; i < block.images; ++i) {
      const std::uint16_t* source =
          data_ + (((block.image + i) * g.h + block.top + row) * g.w) * g.c + g.first;
      std::uint16_t* target = block.copy.data() + row * block.row_stride + i * channels_;
      for (std::int64_t j = 0; j < g.w; ++j, source += g.c, target += block.col_stride)
        std::fill(std::copy_n(source, g.channels, target), target + channels_, std::uint16_t{0});
    }
  }
}

void TileBlocks::list_sites(TileBlock& block) const {
  block.site_count = 0;
  const std::int64_t end = block.row + block.rows;
  for (std::int64_t row = block.row, row_end; row < end; row = row_end) {
    row_end = std::min(end, run_end(row, grid_.step_h, range_.low_h, range_.high_h, grid_.h, grid_.rows));
    for (std::int64_t col = 0, col_end; col < grid_.cols; col = col_end) {
      col_end = by_pixels_ ? grid_.cols
                           : run_end(col, grid_.step_w, range_.low_w, range_.high_w, grid_.w, grid_.cols);
      if (block.sites.size() == block.site_count) block.sites.emplace_back();
      fill_site(block, row, row_end, col, col_end, block.sites[block.site_count++]);
    }
  }
}

/// Pixels [row, row_end) x [col, col_end) of the grid.
void TileBlocks::fill_site(const TileBlock& block, std::int64_t row, std::int64_t row_end, std::int64_t col,
                           std::int64_t col_end, TileSite& site) const {
  const PixelGrid& g = grid_;
  site.a_offsets.clear(), site.b_offsets.clear(), site.tiles.clear();
  for (std::size_t k = 0; k < steps_.size(); ++k) {
    const DepthStep& step = steps_[k];
    const std::int64_t h = row * g.step_h + step.dh, w = col * g.step_w + step.dw;
    if (h < 0 || h >= g.h || (!by_pixels_ && (w < 0 || w >= g.w))) continue;
    site.a_offsets.push_back(step.dh * block.row_stride + (step.dw + block.left) * block.col_stride +
                             step.channel);
    site.b_offsets.push_back(static_cast<std::int64_t>(k) * kTileNumbers);
  }
  const std::int64_t image_step = by_pixels_ ? 1 : kTileRows, col_step = by_pixels_ ? kTileRows : 1;
  const auto add = [&](std::int64_t image, std::int64_t i, std::int64_t j) {
    const std::int64_t offset = image * block.image_stride + (i * g.step_h - block.top) * block.row_stride +
                                j * g.step_w * block.col_stride;
    const std::int64_t real = by_pixels_ ? kTileRows : std::min(kTileRows, block.images - image);
    site.tiles.push_back({block.base + offset, block.image + image, i, j, real});
  };
  for (std::int64_t i = row; i < row_end; ++i)
    for (std::int64_t j = col; j < col_end; j += col_step)
      for (std::int64_t image = 0; image < block.images; image += image_step) add(image, i, j);
}

}  // namespace noisymix::cpu
