// Pixels of bf16 feature maps arranged as rows of tiles, for convolutions on the matrix unit.
//
// The 16 rows of a tile must lie at one constant distance in memory. Two arrangements give that:
//   by pixels  16 neighbouring pixels of a row of one image, where rows are multiples of 16 long; the block
//   is a
//              copy with the columns of zeros that the taps reach, or the map itself where they reach none
//   by images  one pixel of 16 images, for all other sizes; the block is a copy with the images innermost,
//   and
//              taps outside the map are left out instead of multiplied with zeros
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/aligned.h"
#include "engine/cpu/conv_geometry.h"

namespace noisymix::cpu {

/// 32 numbers of a pixel's sum: from channel `channel` of the position (dh, dw) away, running on into the
/// next position where the copy has no gaps.
struct DepthStep {
  std::int64_t dh, dw, channel;
};

/// Tiles of a rectangle of pixels for which the same taps fall inside the map.
struct TileSite {
  struct Start {
    const std::uint16_t* data;  // first row of the tile
    std::int64_t image, row, col;
    std::int64_t rows;  // real ones, 1 to 16
  };
  std::vector<Start> tiles;
  std::vector<std::int64_t> a_offsets;  // per step: from a tile's start to the numbers it multiplies
  std::vector<std::int64_t> b_offsets;  // and from the start of the packed weights
};

/// A block in memory and its sites. Kept between blocks to reuse the buffers.
struct TileBlock {
  std::int64_t image = 0, images = 0, row = 0, rows = 0, top = 0;
  const std::uint16_t* base = nullptr;
  std::int64_t image_stride = 0, row_stride = 0, col_stride = 0, left = 0;
  AlignedVector<std::uint16_t> copy;
  std::vector<TileSite> sites;
  std::size_t site_count = 0;  // of `sites`, which only grows
};

/// Cuts the pixels of all images into blocks. Which pixels form a block never depends on the thread count.
class TileBlocks {
 public:
  /// `data` are the bits of maps as `grid` describes them.
  TileBlocks(const std::uint16_t* data, const PixelGrid& grid);

  /// For each number of the sum, a multiple of 32: the row of the weight it meets, tap * channels + channel,
  /// or -1 for none.
  const std::vector<std::int64_t>& weight_rows() const { return weight_rows_; }

  std::int64_t count() const { return image_blocks_ * row_blocks_; }
  void load(std::int64_t index, TileBlock& block) const;
  /// Distance between the rows of a tile in a block.
  std::int64_t row_distance(const TileBlock& block) const {
    return by_pixels_ ? grid_.step_w * block.col_stride : block.image_stride;
  }
  bool by_pixels() const { return by_pixels_; }

 private:
  void plan_steps();
  void copy_by_pixels(TileBlock& block, std::int64_t bottom) const;
  void copy_by_images(TileBlock& block, std::int64_t bottom) const;
  void list_sites(TileBlock& block) const;
  void fill_site(const TileBlock& block, std::int64_t row, std::int64_t row_end, std::int64_t col,
                 std::int64_t col_end, TileSite& site) const;

  const std::uint16_t* data_;
  PixelGrid grid_;
  TapRange range_;
  bool by_pixels_, in_place_;
  std::int64_t width_;     // columns of a copy
  std::int64_t channels_;  // of a position in a copy
  std::int64_t images_, rows_, image_blocks_, row_blocks_;
  std::vector<DepthStep> steps_;
  std::vector<std::int64_t> weight_rows_;
};

}  // namespace noisymix::cpu
