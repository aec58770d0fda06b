// Where the tiles of Winograd's algorithm lie, and the memory a thread transforms them in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/cpu/winograd_kernels.h"

namespace noisymix::cpu {

/// Feature maps [n, h, w, c] covered by rows x cols tiles each. Tile (i, j) starts at pixel (2 i - padding_h,
/// 2 j - padding_w) and may reach outside the map.
struct TileGrid {
  std::int64_t n, h, w, c, padding_h, padding_w, rows, cols;

  std::int64_t count() const { return n * rows * cols; }

  /// The tiles of maps that 2x2 outputs are written to or whose gradients are read from ...
  static TileGrid of_outputs(std::int64_t n, std::int64_t h, std::int64_t w, std::int64_t c) {
    return {n, h, w, c, 0, 0, chunk_count(h, 2), chunk_count(w, 2)};
  }
  /// ... and those of maps with as many tiles from which they are computed. Padding may be negative.
  static TileGrid of_inputs(std::int64_t h, std::int64_t w, std::int64_t c, std::int64_t padding_h,
                            std::int64_t padding_w, const TileGrid& outputs) {
    return {outputs.n, h, w, c, padding_h, padding_w, outputs.rows, outputs.cols};
  }
};

/// Goes through the tiles in order: along the columns, then the rows, then the images.
class TileWalk {
 public:
  TileWalk(const TileGrid& grid, std::int64_t tile)
      : grid_(grid),
        image_(tile / (grid.rows * grid.cols)),
        row_(tile / grid.cols % grid.rows),
        col_(tile % grid.cols) {}

  void next() {
    if (++col_ < grid_.cols) return;
    col_ = 0;
    if (++row_ < grid_.rows) return;
    row_ = 0;
    ++image_;
  }

  /// The first channel of each of the tile's Size x Size pixels; `outside` for those outside the map.
  template <int Size, typename Float>
  void pixels(Float* maps, Float* outside, Float** pointers) const {
    const std::int64_t top = 2 * row_ - grid_.padding_h, left = 2 * col_ - grid_.padding_w;
    std::int64_t line = ((image_ * grid_.h + top) * grid_.w + left) * grid_.c;
    for (std::int64_t i = 0; i < Size; ++i, line += grid_.w * grid_.c) {
      const bool row_inside = top + i >= 0 && top + i < grid_.h;
      for (std::int64_t j = 0; j < Size; ++j) {
        const bool inside = row_inside && left + j >= 0 && left + j < grid_.w;
        *pointers++ = inside ? maps + line + j * grid_.c : outside;
      }
    }
  }

 private:
  TileGrid grid_;
  std::int64_t image_, row_, col_;
};

/// Floats a thread keeps between calls, from the start of a cache line on. Never shrinks, a few MB at most.
class Scratch {
 public:
  float* reserve(std::int64_t count) {
    constexpr std::size_t kLine = 16;  // floats
    if (memory_.size() < static_cast<std::size_t>(count) + kLine)
      memory_.resize(static_cast<std::size_t>(count) + kLine);
    const std::size_t begin = reinterpret_cast<std::uintptr_t>(memory_.data()) / sizeof(float) % kLine;
    return memory_.data() + (kLine - begin) % kLine;
  }

 private:
  std::vector<float> memory_;
};

/// Transformed tiles [plane][tile][channels rounded up to whole vectors].
struct TilePlanes {
  std::int64_t stride, plane;  // floats from tile to tile and from plane to plane

  TilePlanes(std::int64_t tiles, std::int64_t channels, std::int64_t lanes)
      : stride(chunk_count(channels, lanes) * lanes), plane(tiles * stride) {
    // A tile's 16 planes are written side by side: not all to the same few sets of the cache.
    plane = chunk_count(plane, 32) * 32 + 16;
  }
  std::int64_t floats() const { return WinogradKernels::kPlanes * plane; }
};

/// Transforms with map the tiles [begin, end) of channels [first, first + channels) of `maps`: `input` tiles
/// are 4x4, those of an output's gradient 2x2.
template <int Size, typename Map>
void transform_tiles(Map map, const TileGrid& grid, const float* maps, std::int64_t first,
                     std::int64_t channels, std::int64_t begin, std::int64_t end, const TilePlanes& planes,
                     float* target) {
  thread_local std::vector<float> zeros;
  if (zeros.size() < static_cast<std::size_t>(channels)) zeros.resize(static_cast<std::size_t>(channels));
  const float* pixels[Size * Size];
  TileWalk walk(grid, begin);
  for (std::int64_t tile = begin; tile < end; ++tile, walk.next(), target += planes.stride) {
    walk.pixels<Size, const float>(maps + first, zeros.data(), pixels);
    map(pixels, channels, target, planes.plane);
  }
}

}  // namespace noisymix::cpu
