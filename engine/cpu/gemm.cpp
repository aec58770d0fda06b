#include "engine/cpu/gemm.h"

#include <algorithm>
#include <numeric>

#include "engine/cpu/parallel.h"

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kRowBlock = 96;  // rows of a per task: a multiple of all tile heights
constexpr std::int64_t kDepthBlock =
    768;  // rows of b per pass: a panel of 32 columns then takes 96 KiB of L2
constexpr std::int64_t kPanelBlock =
    8;  // panels per task, so that a short and wide product is shared out as well

constexpr int kTileFloats = MicroKernels::kMaxHeight * MicroKernels::kMaxVectors * 16;

/// One tile whose last columns do not exist: computed in a buffer, of which the real columns are copied.
void narrow_tile(RowKernel kernel, RowTile tile, int rows, std::int64_t width, std::int64_t columns) {
  alignas(64) float buffer[kTileFloats];
  float* pointers[MicroKernels::kMaxHeight];
  float* const* target = tile.c;
  for (int i = 0; i < rows; ++i) {
    pointers[i] = buffer + i * width;
    if (!tile.accumulate) continue;
    std::copy_n(target[i], columns, pointers[i]);
    std::fill_n(pointers[i] + columns, width - columns, 0.0f);
  }
  tile.c = pointers;
  kernel(tile);
  for (int i = 0; i < rows; ++i) std::copy_n(pointers[i], columns, target[i]);
}

/// Part of a long sum: segments of a, and the row of the panels they start at.
struct DepthBlock {
  std::vector<Segment> segments;
  std::int64_t row;
};

/// Cuts the segments of a batch into blocks of nearly equal length, at least one.
std::vector<DepthBlock> cut_depth(const RowBatch& rows) {
  std::int64_t depth = 0;
  for (std::int64_t s = 0; s < rows.segment_count; ++s) depth += rows.segments[s].length;
  const std::int64_t parts = std::max<std::int64_t>(1, chunk_count(depth, kDepthBlock));
  std::vector<DepthBlock> blocks;
  std::int64_t at = 0;
  blocks.push_back({{}, 0});
  for (std::int64_t s = 0; s < rows.segment_count; ++s) {
    Segment rest = rows.segments[s];
    while (rest.length > 0) {
      const std::int64_t end = even_part(depth, parts, static_cast<std::int64_t>(blocks.size()));
      const std::int64_t taken = std::min(rest.length, end - at);
      if (taken > 0) blocks.back().segments.push_back({rest.offset, taken});
      at += taken;
      rest = {rest.offset + taken, rest.length - taken};
      if (at == end && at < depth) blocks.push_back({{}, at});
    }
  }
  return blocks;
}

/// One depth block of one panel, for all rows of the batch.
void multiply_block(const RowBatch& rows, const DepthBlock& block, const PackedPanels& panels,
                    std::int64_t panel, const float* bias, bool accumulate) {
  const MicroKernels& kernels = panels.kernels();
  const int vectors = panels.vectors(panel);
  const std::int64_t width = vectors * kernels.lanes, columns = panels.columns(panel);
  const std::int64_t column = panels.first_column(panel);
  const float* a[MicroKernels::kMaxHeight];
  float* c[MicroKernels::kMaxHeight];
  const RowTile tile{a,
                     block.segments.data(),
                     static_cast<std::int64_t>(block.segments.size()),
                     panels.data(panel, block.row),
                     bias,
                     c,
                     accumulate};
  const std::int64_t tiles = chunk_count(rows.count, kernels.row_height[vectors]);
  for (std::int64_t t = 0; t < tiles; ++t) {
    const std::int64_t begin = even_part(rows.count, tiles, t);
    const int height = static_cast<int>(even_part(rows.count, tiles, t + 1) - begin);
    for (int i = 0; i < height; ++i) {
      a[i] = rows.a + rows.a_offsets[begin + i];
      c[i] = rows.c + rows.c_offsets[begin + i] + column;
    }
    const RowKernel kernel = kernels.row[vectors][height];
    if (columns == width)
      kernel(tile);
    else
      narrow_tile(kernel, tile, height, width, columns);
  }
}

/// Rows [begin, end) of the transposed matrix `a`, columns [first, first + depth), as a dense block.
void transpose_block(const MatrixView& a, std::int64_t begin, std::int64_t end, std::int64_t first,
                     std::int64_t depth, float* block) {
  for (std::int64_t p = 0; p < depth; ++p) {
    const float* source = a.data + (first + p) * a.column_stride;
    for (std::int64_t i = begin; i < end; ++i) block[(i - begin) * depth + p] = source[i];
  }
}

}  // namespace

PackedPanels::PackedPanels(const float* source, const std::vector<std::int64_t>& row_offsets,
                           std::int64_t columns, std::int64_t column_stride)
    : kernels_(micro_kernels()), rows_(static_cast<std::int64_t>(row_offsets.size())), columns_(columns) {
  width_ = kernels_.row_vectors * kernels_.lanes;
  count_ = chunk_count(columns_, width_);
  storage_ = Tensor::empty(Shape{count_ * width_ * rows_});
  data_ = storage_.mutable_data<float>();
  parallel_for(count_, std::max<std::int64_t>(1, 8192 / (width_ * rows_ + 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t panel = begin; panel < end; ++panel)
                   pack(panel, source, row_offsets.data(), column_stride);
               });
}

std::int64_t PackedPanels::columns(std::int64_t panel) const {
  return std::min(width_, columns_ - first_column(panel));
}

int PackedPanels::vectors(std::int64_t panel) const {
  return static_cast<int>(chunk_count(columns(panel), kernels_.lanes));
}

void PackedPanels::pack(std::int64_t panel, const float* source, const std::int64_t* row_offsets,
                        std::int64_t column_stride) {
  const std::int64_t real = columns(panel), padded = vectors(panel) * kernels_.lanes;
  float* target = data_ + panel * width_ * rows_;
  const float* first = source + first_column(panel) * column_stride;
  for (std::int64_t i = 0; i < rows_; ++i, target += padded) {
    const float* row = first + row_offsets[i];
    if (column_stride == 1)
      std::copy_n(row, real, target);
    else
      for (std::int64_t j = 0; j < real; ++j) target[j] = row[j * column_stride];
    std::fill(target + real, target + padded, 0.0f);
  }
}

void multiply_rows(const RowBatch& rows, const PackedPanels& panels, std::int64_t first, std::int64_t last,
                   const float* bias, bool accumulate) {
  const std::vector<DepthBlock> blocks = cut_depth(rows);
  alignas(64) float padded_bias[MicroKernels::kMaxVectors * 16];
  for (std::int64_t panel = first; panel < last; ++panel) {
    const std::int64_t width = panels.vectors(panel) * panels.kernels().lanes;
    if (bias != nullptr)
      std::fill(std::copy_n(bias + panels.first_column(panel), panels.columns(panel), padded_bias),
                padded_bias + width, 0.0f);
    for (const DepthBlock& block : blocks) {
      const bool starts = block.row == 0 && !accumulate;
      multiply_block(rows, block, panels, panel, starts && bias != nullptr ? padded_bias : nullptr, !starts);
    }
  }
}

void add_outer_products(const OuterSide& a, std::int64_t a_count, const OuterSide& b, std::int64_t b_count,
                        std::int64_t count, float* c, std::int64_t c_stride) {
  const MicroKernels& kernels = micro_kernels();
  const std::int64_t lanes = kernels.lanes, vectors = b_count / lanes;
  const std::int64_t strips = chunk_count(vectors, kernels.outer_vectors);
  for (std::int64_t strip = 0; strip < strips; ++strip) {
    const std::int64_t first = even_part(vectors, strips, strip),
                       width = even_part(vectors, strips, strip + 1) - first;
    const std::int64_t tiles = chunk_count(a_count, kernels.outer_height[width]);
    for (std::int64_t t = 0; t < tiles; ++t) {
      const std::int64_t begin = even_part(a_count, tiles, t),
                         height = even_part(a_count, tiles, t + 1) - begin;
      kernels.outer[width][height]({a.data + begin, a.offsets, b.data + first * lanes, b.offsets, count,
                                    c + begin * c_stride + first * lanes, c_stride});
    }
  }
}

void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView a, MatrixView b, const float* bias,
          float* c) {
  std::vector<std::int64_t> c_offsets(static_cast<std::size_t>(std::min(m, kRowBlock)));
  for (std::size_t i = 0; i < c_offsets.size(); ++i) c_offsets[i] = static_cast<std::int64_t>(i) * n;
  const bool copy = a.column_stride != 1 && k > 1;
  for (std::int64_t first = 0; first == 0 || first < k; first += kDepthBlock) {
    const std::int64_t depth = std::min(kDepthBlock, k - first);
    std::vector<std::int64_t> b_rows(static_cast<std::size_t>(depth)), a_offsets(c_offsets.size());
    for (std::size_t i = 0; i < b_rows.size(); ++i)
      b_rows[i] = (first + static_cast<std::int64_t>(i)) * b.row_stride;
    for (std::size_t i = 0; i < a_offsets.size(); ++i)
      a_offsets[i] = static_cast<std::int64_t>(i) * (copy ? depth : a.row_stride);
    const PackedPanels panels(b.data, b_rows, n, b.column_stride);
    const Segment segment{0, depth};
    const std::int64_t row_tasks = chunk_count(m, kRowBlock),
                       panel_tasks = chunk_count(panels.count(), kPanelBlock);
    parallel_for(row_tasks * panel_tasks, 1, [&](std::int64_t task, std::int64_t) {
      const std::int64_t begin = task / panel_tasks * kRowBlock, end = std::min(m, begin + kRowBlock);
      const std::int64_t panel = task % panel_tasks * kPanelBlock;
      const float* left = a.data + begin * a.row_stride + first * a.column_stride;
      thread_local std::vector<float> block;
      if (copy) {
        block.resize(static_cast<std::size_t>(kRowBlock * kDepthBlock));
        transpose_block(a, begin, end, first, depth, block.data());
        left = block.data();
      }
      const RowBatch rows{left,          a_offsets.data(), &segment,   depth > 0,
                          c + begin * n, c_offsets.data(), end - begin};
      multiply_rows(rows, panels, panel, std::min(panels.count(), panel + kPanelBlock), bias, first > 0);
    });
  }
}

}  // namespace noisymix::cpu
