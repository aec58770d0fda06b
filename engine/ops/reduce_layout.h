// How a reduction walks a tensor: which elements belong to which result, and a blocked parallel sweep over
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "engine/cpu/parallel.h"
#include "engine/host_device.h"
#include "engine/ops/reduce.h"

namespace noisymix {

/// The elements as segments of contiguous memory, one per (outer, row): `outer` counts over the kept axes,
/// `row` over the reduced ones, each without the innermost axis. Either the innermost axis is kept, and
/// element c of a segment belongs to result outer * columns + c (run is 1); or it is reduced, and all `run`
/// elements belong to result `outer` (columns is 1). Neighbouring axes of one kind are merged, so that most
/// layouts have at most one axis of each list. Plain data, so that CUDA kernels take it by value.
struct ReduceWalk {
  struct Axis {
    std::int64_t size, stride;
  };
  struct AxisList {
    static constexpr int kMost = 8;
    Axis axis[kMost];  // slowest first
    int count = 0;

    /// Elements before the index-th combination of positions along the axes.
    NM_HOST_DEVICE std::int64_t offset(std::int64_t index) const {
      std::int64_t result = 0;
      for (int i = count - 1; i > 0; --i) {
        result += index % axis[i].size * axis[i].stride;
        index /= axis[i].size;
      }
      return count == 0 ? 0 : result + index * axis[0].stride;
    }
  };
  AxisList outer_axes, row_axes;
  std::int64_t outer = 1, rows = 1, columns = 1, run = 1;

  NM_HOST_DEVICE std::int64_t results() const { return outer * columns; }
  /// Elements per result.
  NM_HOST_DEVICE std::int64_t count() const { return rows * run; }
  NM_HOST_DEVICE std::int64_t segment() const { return columns * run; }
  NM_HOST_DEVICE bool by_column() const { return run == 1; }
  NM_HOST_DEVICE std::int64_t offset(std::int64_t outer_index, std::int64_t row) const {
    return outer_axes.offset(outer_index) + row_axes.offset(row);
  }
};

struct ReduceLayout : ReduceWalk {
  Shape result;  ///< shape of the result
};

/// Layout of reducing `axes` (all when empty) of `shape`. Throws ShapeError on an axis out of range or given
/// twice.
inline ReduceLayout reduce_layout(const char* op, const Shape& shape, const Axes& axes, bool keepdim) {
  const auto rank = static_cast<std::size_t>(shape.rank());
  std::vector<bool> reduced(rank, axes.empty());
  for (const int axis : axes) {
    const auto index = static_cast<std::size_t>(normalize_axis(op, axis, shape.rank()));
    NM_CHECK(!reduced[index], "[", op, "] axis ", axis, " is given twice");
    reduced[index] = true;
  }
  ReduceLayout layout;
  std::vector<std::int64_t> result;
  struct Merged {
    std::int64_t size, stride;
    bool reduced;
  };
  std::vector<Merged> merged;  // slowest first
  const auto strides = shape.strides();
  for (std::size_t i = 0; i < rank; ++i) {
    const std::int64_t size = shape.dims()[i];
    if (!reduced[i])
      result.push_back(size);
    else if (keepdim)
      result.push_back(1);
    if (size == 1) continue;
    if (!merged.empty() && merged.back().reduced == reduced[i]) {
      merged.back().size *= size;
      merged.back().stride = strides[i];
    } else {
      merged.push_back({size, strides[i], reduced[i]});
    }
  }
  layout.result = Shape(result);
  if (!merged.empty()) {
    (merged.back().reduced ? layout.run : layout.columns) = merged.back().size;
    merged.pop_back();
  }
  for (const Merged& axis : merged) {
    ReduceWalk::AxisList& list = axis.reduced ? layout.row_axes : layout.outer_axes;
    NM_CHECK(list.count < ReduceWalk::AxisList::kMost, "[", op, "] kept and reduced axes of ", shape,
             " alternate more than ", 2 * ReduceWalk::AxisList::kMost, " times");
    list.axis[list.count++] = {axis.size, axis.stride};
    (axis.reduced ? layout.rows : layout.outer) *= axis.size;
  }
  return layout;
}

namespace cpu {

constexpr std::int64_t kReduceGrain = 1 << 15;  // elements per task

/// Running totals of a sweep. Everything is accumulated in double, whatever the elements are.
struct Total {
  static constexpr double kStart = 0;
  static double join(double a, double b) { return a + b; }
};

// NaN wins. Bitwise operators instead of || let the compiler turn the choice into vector selects.
struct Largest {
  static constexpr double kStart = -HUGE_VAL;
  static double join(double a, double b) { return ((!(b <= a)) & (a == a)) ? b : a; }
};

struct Smallest {
  static constexpr double kStart = HUGE_VAL;
  static double join(double a, double b) { return ((!(b >= a)) & (a == a)) ? b : a; }
};

/// Joins term(x[i], result) over a run of elements of one result, in eight interleaved lanes so that
/// additions overlap.
template <typename Join, typename T, typename Term>
double join_run(const T* x, std::int64_t count, std::int64_t result, Term term) {
  constexpr int lanes = 8;
  double lane[lanes];
  std::fill_n(lane, lanes, Join::kStart);
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int k = 0; k < lanes; ++k) lane[k] = Join::join(lane[k], term(x[i + k], result));
  for (; i < count; ++i) lane[0] = Join::join(lane[0], term(x[i], result));
  double total = lane[0];
  for (int k = 1; k < lanes; ++k) total = Join::join(total, lane[k]);
  return total;
}

/// totals[r] = join of term(element, r) over the elements of every result r; term returns a double. The
/// tensor is cut into tiles that depend only on the layout, and their partial totals are joined in order.
template <typename Join, typename T, typename Term>
void reduce_tiles(const T* x, const ReduceLayout& layout, double* totals, Term term) {
  const bool by_column = layout.by_column();
  const std::int64_t piece = std::min(layout.segment(), by_column ? std::int64_t{512} : kReduceGrain);
  if (layout.count() == 0 || layout.results() == 0) {
    std::fill_n(totals, layout.results(), Join::kStart);
    return;
  }
  const std::int64_t pieces = chunk_count(layout.segment(), piece);
  // At most 64 blocks of rows bound the memory of the partial totals.
  const std::int64_t tile_rows =
      std::max({std::int64_t{1}, kReduceGrain / piece, chunk_count(layout.rows, 64)});
  const std::int64_t blocks = chunk_count(layout.rows, tile_rows);
  const std::int64_t width = by_column ? layout.columns : pieces;
  Tensor scratch = Tensor::empty({layout.outer, blocks, width}, Dtype::f64);
  double* partial = scratch.mutable_data<double>();
  const std::int64_t per_tile = std::min(tile_rows, layout.rows) * piece;
  parallel_for(layout.outer * blocks * pieces, std::max<std::int64_t>(1, kReduceGrain / per_tile),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t p = task % pieces, b = task / pieces % blocks,
                                      o = task / pieces / blocks;
                   const std::int64_t first = p * piece, length = std::min(piece, layout.segment() - first);
                   const std::int64_t last_row = std::min(layout.rows, (b + 1) * tile_rows);
                   double* out = partial + (o * blocks + b) * width + (by_column ? first : p);
                   std::fill_n(out, by_column ? length : 1, Join::kStart);
                   for (std::int64_t row = b * tile_rows; row < last_row; ++row) {
                     const T* from = x + layout.offset(o, row) + first;
                     const std::int64_t result = o * layout.columns + (by_column ? first : 0);
                     if (by_column)
                       for (std::int64_t c = 0; c < length; ++c)
                         out[c] = Join::join(out[c], term(from[c], result + c));
                     else
                       out[0] = Join::join(out[0], join_run<Join>(from, length, result, term));
                   }
                 }
               });
  parallel_for(layout.outer, std::max<std::int64_t>(1, kReduceGrain / (blocks * width)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t o = begin; o < end; ++o) {
                   double* total = totals + o * layout.columns;
                   std::fill_n(total, layout.columns, Join::kStart);
                   for (std::int64_t b = 0; b < blocks; ++b) {
                     const double* from = partial + (o * blocks + b) * width;
                     for (std::int64_t c = 0; c < width; ++c) {
                       double& target = total[by_column ? c : 0];
                       target = Join::join(target, from[c]);
                     }
                   }
                 }
               });
}

/// Calls body(offset, result, count, step) for pieces of segments that cover every element once: element
/// offset + i belongs to result + i * step, step being 0 or 1.
template <typename Body>
void for_each_piece(const ReduceLayout& layout, Body&& body) {
  const std::int64_t length = layout.segment(), segments = layout.outer * layout.rows;
  const std::int64_t step = layout.run == 1 ? 1 : 0;
  if (length == 0 || segments == 0) return;
  const std::int64_t piece = std::min(length, kReduceGrain), pieces = chunk_count(length, piece);
  parallel_for(segments * pieces, std::max<std::int64_t>(1, kReduceGrain / piece),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t task = begin; task < end; ++task) {
                   const std::int64_t first = task % pieces * piece, o = task / pieces / layout.rows;
                   const std::int64_t row = task / pieces % layout.rows;
                   body(layout.offset(o, row) + first, o * layout.columns + first * step,
                        std::min(piece, length - first), step);
                 }
               });
}

}  // namespace cpu
}  // namespace noisymix
