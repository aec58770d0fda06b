// Matrix products in f32 from packed panels and register tiles; convolutions are built from the same pieces.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/cpu/micro_kernels.h"
#include "engine/tensor.h"

namespace noisymix::cpu {

/// The right-hand matrix [k, n] rearranged for the row kernels: panels of up to row_vectors * lanes columns,
/// each stored row by row, the last one filled up with zeros. Made for the table of micro-kernels in use at
/// that moment.
class PackedPanels {
 public:
  /// Element (i, j) of the matrix is source[row_offsets[i] + j * column_stride]. Packs in parallel.
  PackedPanels(const float* source, const std::vector<std::int64_t>& row_offsets, std::int64_t columns,
               std::int64_t column_stride);

  std::int64_t count() const { return count_; }
  std::int64_t first_column(std::int64_t panel) const { return panel * width_; }
  /// Vectors per row of this panel, and how many of its columns are real.
  int vectors(std::int64_t panel) const;
  std::int64_t columns(std::int64_t panel) const;
  /// Row `row` of a panel; rows follow each other at vectors(panel) * lanes floats.
  const float* data(std::int64_t panel, std::int64_t row = 0) const {
    return data_ + panel * width_ * rows_ + row * vectors(panel) * kernels_.lanes;
  }
  const MicroKernels& kernels() const { return kernels_; }

 private:
  void pack(std::int64_t panel, const float* source, const std::int64_t* row_offsets,
            std::int64_t column_stride);

  const MicroKernels& kernels_;
  std::int64_t rows_, columns_, width_, count_;
  Tensor storage_;
  float* data_;
};

/// Rows of a left-hand matrix lying anywhere: row i consists of the segments counted from a + a_offsets[i],
/// and its results go to c + c_offsets[i].
struct RowBatch {
  const float* a;
  const std::int64_t* a_offsets;
  const Segment* segments;
  std::int64_t segment_count;
  float* c;
  const std::int64_t* c_offsets;
  std::int64_t count;
};

/// c = a * panels + bias (null: 0) for the panels [first, last); with `accumulate`, c += a * panels. Serial.
/// Long sums are cut into blocks that are summed apart: the rows of a panel stay in cache, and rounding
/// errors grow slower.
void multiply_rows(const RowBatch& rows, const PackedPanels& panels, std::int64_t first, std::int64_t last,
                   const float* bias, bool accumulate = false);

/// One operand of a sum of outer products: `data + offsets[p]` is its vector number p.
struct OuterSide {
  const float* data;
  const std::int64_t* offsets;
};

/// c [a_count, b_count] += sum over p < count of the outer products of a's and b's vectors. b_count is a
/// multiple of the vector length. Serial.
void add_outer_products(const OuterSide& a, std::int64_t a_count, const OuterSide& b, std::int64_t b_count,
                        std::int64_t count, float* c, std::int64_t c_stride);

/// A dense matrix [rows, columns] whose element (i, j) is data[i * row_stride + j * column_stride]; one
/// stride is 1.
struct MatrixView {
  const float* data;
  std::int64_t row_stride, column_stride;
};

/// c [m, n] = a [m, k] * b [k, n] + bias [n] (null: 0), c row-major and dense. Parallel; the same bits for
/// any number of threads.
void gemm(std::int64_t m, std::int64_t n, std::int64_t k, MatrixView a, MatrixView b, const float* bias,
          float* c);

/// Cuts `total` into ceil(total / most) nearly equal parts; returns the begin of part i.
constexpr std::int64_t even_part(std::int64_t total, std::int64_t parts, std::int64_t i) {
  return total * i / parts;
}

}  // namespace noisymix::cpu
