// How N operands broadcast to one output: the loop nest that elementwise kernels walk.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "engine/shape.h"

namespace noisymix {

/// The output as nested axes, neighbours merged wherever all operands allow it, so that equal shapes become
/// one axis and a row operand two. Strides are in elements; 0 where an operand repeats, and always 0 or 1 on
/// the innermost axis.
template <std::size_t N>
struct BroadcastPlan {
  struct Axis {
    std::int64_t size;
    std::array<std::int64_t, N> strides;
  };
  std::vector<Axis> outer;  ///< slowest first
  Axis inner{1, {}};
  std::int64_t rows = 1;  ///< product of the outer sizes

  /// Offsets at which each operand starts in output row `row`.
  std::array<std::int64_t, N> offsets(std::int64_t row) const {
    std::array<std::int64_t, N> result{};
    for (std::size_t i = outer.size(); i-- > 0;) {
      const std::int64_t position = row % outer[i].size;
      row /= outer[i].size;
      for (std::size_t k = 0; k < N; ++k) result[k] += position * outer[i].strides[k];
    }
    return result;
  }
};

/// Every shape must broadcast to `output`.
template <std::size_t N>
BroadcastPlan<N> plan_broadcast(const Shape& output, const std::array<Shape, N>& operands) {
  using Axis = typename BroadcastPlan<N>::Axis;
  std::vector<Axis> axes;  // fastest first
  std::array<std::int64_t, N> step;
  step.fill(1);
  for (int i = 1; i <= output.rank(); ++i) {
    const std::int64_t size = output[-i];
    Axis axis{size, {}};
    for (std::size_t k = 0; k < N; ++k) {
      const std::int64_t own = i <= operands[k].rank() ? operands[k][-i] : 1;
      axis.strides[k] = own == 1 ? 0 : step[k];
      step[k] *= own;
    }
    if (size == 1) continue;
    bool mergeable = !axes.empty();
    for (std::size_t k = 0; k < N && mergeable; ++k)
      mergeable = axis.strides[k] == axes.back().strides[k] * axes.back().size;
    if (mergeable)
      axes.back().size *= size;
    else
      axes.push_back(axis);
  }
  BroadcastPlan<N> plan;
  if (axes.empty()) return plan;
  plan.inner = axes.front();
  plan.outer.assign(axes.rbegin(), axes.rend() - 1);
  for (const Axis& axis : plan.outer) plan.rows *= axis.size;
  return plan;
}

/// Calls body(offsets, first, count) for the pieces of rows that cover output elements [begin, end).
template <std::size_t N, typename Body>
void for_each_row(const BroadcastPlan<N>& plan, std::int64_t begin, std::int64_t end, Body&& body) {
  while (begin < end) {
    const std::int64_t row = begin / plan.inner.size, column = begin % plan.inner.size;
    const std::int64_t count = std::min(plan.inner.size - column, end - begin);
    std::array<std::int64_t, N> offsets = plan.offsets(row);
    for (std::size_t k = 0; k < N; ++k) offsets[k] += column * plan.inner.strides[k];
    body(offsets, begin, count);
    begin += count;
  }
}

}  // namespace noisymix
