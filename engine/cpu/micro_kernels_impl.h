// Bodies of the micro-kernels over a vector type. Included by exactly one file per instruction set, after it
// has defined `Vector` with: `type`, `lanes`, and load, store, broadcast, add, multiply_add. Everything is
// local to that file.
#pragma once

#include "engine/cpu/micro_kernels.h"

#if defined(__clang__)
#define NM_UNROLL _Pragma("unroll")
#else
#define NM_UNROLL _Pragma("GCC unroll 16")
#endif

namespace noisymix::cpu {
namespace {

template <int Rows, int Vectors>
void row_kernel(const RowTile& tile) {
  constexpr int lanes = Vector::lanes;
  Vector::type sum[Rows][Vectors];
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    NM_UNROLL for (int v = 0; v < Vectors; ++v) {
      sum[i][v] = tile.bias != nullptr ? Vector::load(tile.bias + v * lanes) : Vector::broadcast(0.0f);
    }
  }
  const float* b = tile.b;
  for (std::int64_t s = 0; s < tile.segment_count; ++s) {
    const std::int64_t length = tile.segments[s].length;
    const float* a[Rows];
    NM_UNROLL for (int i = 0; i < Rows; ++i) {
      a[i] = tile.a[i] + tile.segments[s].offset;
    }
    for (std::int64_t k = 0; k < length; ++k) {
      Vector::type right[Vectors];
      NM_UNROLL for (int v = 0; v < Vectors; ++v) {
        right[v] = Vector::load(b + v * lanes);
      }
      NM_UNROLL for (int i = 0; i < Rows; ++i) {
        const Vector::type left = Vector::broadcast(a[i][k]);
        NM_UNROLL for (int v = 0; v < Vectors; ++v) {
          sum[i][v] = Vector::multiply_add(left, right[v], sum[i][v]);
        }
      }
      b += Vectors * lanes;
    }
  }
  if (tile.accumulate) {
    NM_UNROLL for (int i = 0; i < Rows; ++i) {
      NM_UNROLL for (int v = 0; v < Vectors; ++v) {
        sum[i][v] = Vector::add(Vector::load(tile.c[i] + v * lanes), sum[i][v]);
      }
    }
  }
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    NM_UNROLL for (int v = 0; v < Vectors; ++v) {
      Vector::store(tile.c[i] + v * lanes, sum[i][v]);
    }
  }
}

template <int Rows, int Vectors>
void outer_kernel(const OuterTile& tile) {
  constexpr int lanes = Vector::lanes;
  Vector::type sum[Rows][Vectors];
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    NM_UNROLL for (int v = 0; v < Vectors; ++v) {
      sum[i][v] = Vector::load(tile.c + i * tile.c_stride + v * lanes);
    }
  }
  for (std::int64_t p = 0; p < tile.count; ++p) {
    const float* a = tile.a + tile.a_offsets[p];
    const float* b = tile.b + tile.b_offsets[p];
    Vector::type right[Vectors];
    NM_UNROLL for (int v = 0; v < Vectors; ++v) {
      right[v] = Vector::load(b + v * lanes);
    }
    NM_UNROLL for (int i = 0; i < Rows; ++i) {
      const Vector::type left = Vector::broadcast(a[i]);
      NM_UNROLL for (int v = 0; v < Vectors; ++v) {
        sum[i][v] = Vector::multiply_add(left, right[v], sum[i][v]);
      }
    }
  }
  NM_UNROLL for (int i = 0; i < Rows; ++i) {
    NM_UNROLL for (int v = 0; v < Vectors; ++v) {
      Vector::store(tile.c + i * tile.c_stride + v * lanes, sum[i][v]);
    }
  }
}

/// Independent sums, so that no multiplication waits for the one before.
std::int64_t spin(std::int64_t rounds, float* out) {
  constexpr int kSums = 12;
  Vector::type sum[kSums];
  NM_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = Vector::broadcast(out[0]);
  const Vector::type factor = Vector::broadcast(out[1]);
  for (std::int64_t r = 0; r < rounds; ++r) {
    NM_UNROLL for (int i = 0; i < kSums; ++i) sum[i] = Vector::multiply_add(sum[i], factor, factor);
  }
  NM_UNROLL for (int i = 1; i < kSums; ++i) sum[0] = Vector::add(sum[0], sum[i]);
  Vector::store(out, sum[0]);
  return rounds * kSums * Vector::lanes * 2;
}

/// Enters the kernels with `Vectors` vectors and 1..Rows rows into the table.
template <int Vectors, int Rows>
constexpr void fill_row(MicroKernels& table) {
  table.row[Vectors][Rows] = &row_kernel<Rows, Vectors>;
  if constexpr (Rows > 1) fill_row<Vectors, Rows - 1>(table);
}
template <int Vectors, int Rows>
constexpr void fill_outer(MicroKernels& table) {
  table.outer[Vectors][Rows] = &outer_kernel<Rows, Vectors>;
  if constexpr (Rows > 1) fill_outer<Vectors, Rows - 1>(table);
}

/// A table from the tallest tiles that still fit into the registers: Row<v> for row kernels, Outer<v> for
/// outer ones.
template <int Row1, int Row2, int Outer1, int Outer2, int Outer3>
constexpr MicroKernels make_table() {
  MicroKernels table{Vector::lanes, 2, 3, {0, Row1, Row2, 0, 0}, {0, Outer1, Outer2, Outer3, 0}, {}, {}, &spin};
  fill_row<1, Row1>(table);
  fill_row<2, Row2>(table);
  fill_outer<1, Outer1>(table);
  fill_outer<2, Outer2>(table);
  fill_outer<3, Outer3>(table);
  return table;
}

}  // namespace
}  // namespace noisymix::cpu
