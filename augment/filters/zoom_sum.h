// Sum of many enlargements of one image, with all their positions and weights worked out beforehand.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "augment/scratch.h"

namespace noisymix {

/// Neighbours and weights of one factor's rows and columns, in single precision.
struct ZoomTable {
  int times = 0;          ///< how many factors in a row give this very table
  bool identity = false;  ///< shows the image as it is
  std::span<std::int32_t> lower_row,
      upper_row;                         ///< of every row; the image's height stands for a row of zeros
  std::int32_t end_row = 0;              ///< behind the last one of these
  std::span<float> upper_weight;         ///< of every row
  std::span<std::int32_t> first_column;  ///< leftmost neighbour of every block of eight columns
  std::span<std::int32_t> column_shift;  ///< of every column's left neighbour from the block's, 0 .. 7
  std::span<float> right_weight;         ///< of every column
  bool last_column_zero = false;         ///< instead of what these say
};

/// For images of height x width.
struct ZoomTables {
  int height = 0, width = 0;
  std::span<const ZoomTable> tables;
};

/// Factors >= 1. In `scratch`, valid until the caller's frame ends.
ZoomTables zoom_tables(int height, int width, std::span<const double> factors, Scratch& scratch);

/// Floats between rows of a plane: the width, rounded up to a multiple of 16.
std::size_t zoom_stride(int width);
/// Floats of `channels` planes, with what vectors read beyond the end.
std::size_t zoom_planes_size(int height, int width, int channels);

/// Adds to `sum` what clipped_zoom() makes of `planes` with every factor, in the order of the factors. Both
/// are channels x height x zoom_stride(width) floats and have zoom_planes_size() of them; those of `planes`
/// that are no pixel must be finite, those of `sum` are undefined afterwards.
void add_zooms(const float* planes, int channels, const ZoomTables& tables, float* sum, Scratch& scratch);

}  // namespace noisymix
