// Register-tiled inner kernels of matrix products and convolutions in f32, one table per instruction set.
//
// A tile of results stays in vector registers while the sum runs. Both kernels multiply one broadcast number
// with vectors of `lanes` neighbours; they differ in how the operands lie in memory:
//   row kernel    c[i][j] = bias[j] + sum_k a[i][k] b[k][j]    a: rows anywhere in memory, b: packed panel
//   outer kernel  c[i][j] += sum_p a[p][i] b[p][j]             rows of both operands anywhere in memory
// Rows are addressed by pointers or offsets, so a convolution reads its input in place: no im2col matrix
// exists.
//
// This header is included by files compiled for newer processors. It must not define any function or template
// that another file might also instantiate: the linker could pick the copy that older processors cannot run.
#pragma once

#include <cstdint>

namespace noisymix::cpu {

/// A run of `length` consecutive floats at `offset` from a row's pointer.
struct Segment {
  std::int64_t offset, length;
};

struct RowTile {
  const float* const* a;    // one pointer per row
  const Segment* segments;  // parts of a row, in the order of the rows of b
  std::int64_t segment_count;
  const float* b;     // [sum of lengths][vectors * lanes]
  const float* bias;  // [vectors * lanes] start values, or null for 0
  float* const* c;    // one pointer per row, vectors * lanes floats each
  bool accumulate;    // add to c what the tile sums up
};
using RowKernel = void (*)(const RowTile&);

struct OuterTile {
  const float* a;  // element i of row p is a[a_offsets[p] + i]
  const std::int64_t* a_offsets;
  const float* b;  // element j of row p is b[b_offsets[p] + j]
  const std::int64_t* b_offsets;
  std::int64_t count;  // rows to sum over
  float* c;            // element (i, j) is c[i * c_stride + j]
  std::int64_t c_stride;
};
using OuterKernel = void (*)(const OuterTile&);

/// Kernels by tile size: row[vectors][rows], vectors in 1..row_vectors, rows in 1..row_height[vectors].
struct MicroKernels {
  static constexpr int kMaxVectors = 4, kMaxHeight = 12;
  int lanes;
  int row_vectors, outer_vectors;
  int row_height[kMaxVectors + 1], outer_height[kMaxVectors + 1];
  RowKernel row[kMaxVectors + 1][kMaxHeight + 1];
  OuterKernel outer[kMaxVectors + 1][kMaxHeight + 1];
  /// Multiplies and adds in registers only, `rounds` times; returns the operations done. For measuring the
  /// limit.
  std::int64_t (*spin)(std::int64_t rounds, float* out);
};

extern const MicroKernels kPortableKernels;
#if defined(__x86_64__)
extern const MicroKernels kAvx2Kernels;
extern const MicroKernels kAvx512Kernels;
#endif

/// The table for active_isa().
const MicroKernels& micro_kernels();

}  // namespace noisymix::cpu
