#include "engine/ops/strided_copy.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

using Axis = StridedCopy::Axis;
using Axes = std::vector<Axis>;

constexpr std::int64_t kGrain = 1 << 15;  // elements per parallel chunk
constexpr std::int64_t kTile = 32;  // a tile of 8-byte elements and its padding fit the first-level cache

/// Walks all indices of some axes in order, keeping both offsets.
class Walk {
 public:
  Walk(const Axes& axes, std::int64_t position) : axes_(axes), index_(axes.size()) {
    for (std::size_t k = axes.size(); k-- > 0; position /= axes[k].size) {
      index_[k] = position % axes[k].size;
      from += index_[k] * axes[k].from_stride;
      to += index_[k] * axes[k].to_stride;
    }
  }
  void advance() {
    for (std::size_t k = axes_.size(); k-- > 0;) {
      const Axis& axis = axes_[k];
      from += axis.from_stride;
      to += axis.to_stride;
      if (++index_[k] < axis.size) return;
      index_[k] = 0;
      from -= axis.size * axis.from_stride;
      to -= axis.size * axis.to_stride;
    }
  }
  std::int64_t from = 0, to = 0;

 private:
  const Axes& axes_;
  std::vector<std::int64_t> index_;
};

/// Calls body(from, to, block) for every index of the outer axes and every block of the inner ones, in
/// parallel.
template <typename Body>
void for_each_block(const Axes& outer, std::int64_t blocks, std::int64_t block_elements, const Body& body) {
  std::int64_t count = blocks;
  for (const Axis& axis : outer) count *= axis.size;
  parallel_for(count, std::max<std::int64_t>(1, kGrain / block_elements),
               [&](std::int64_t begin, std::int64_t end) {
                 Walk walk(outer, begin / blocks);
                 std::int64_t block = begin % blocks;
                 for (std::int64_t unit = begin; unit < end; ++unit) {
                   body(walk.from, walk.to, block);
                   if (++block == blocks) {
                     block = 0;
                     walk.advance();
                   }
                 }
               });
}

/// Rows along the last axis; contiguous ones are copied as bytes.
template <typename T>
void copy_rows(const T* from, T* to, Axes axes) {
  const Axis row = axes.back();
  axes.pop_back();
  const std::int64_t block = std::min(row.size, kGrain), blocks = chunk_count(row.size, block);
  const bool contiguous = row.from_stride == 1 && row.to_stride == 1;
  for_each_block(axes, blocks, block, [&](std::int64_t from_base, std::int64_t to_base, std::int64_t index) {
    const std::int64_t begin = index * block, count = std::min(block, row.size - begin);
    const T* source = from + from_base + begin * row.from_stride;
    T* target = to + to_base + begin * row.to_stride;
    if (contiguous) {
      std::memcpy(target, source, static_cast<std::size_t>(count) * sizeof(T));
    } else {
      for (std::int64_t i = 0; i < count; ++i) target[i * row.to_stride] = source[i * row.from_stride];
    }
  });
}

/// Transpose of axis `column` (contiguous in the source) and the last axis (contiguous in the target). Each
/// square tile passes through a small buffer, so that whole cache lines are read and written even when
/// strides are powers of two.
template <typename T>
void copy_transposed(const T* from, T* to, Axes axes, std::size_t column) {
  const Axis b = axes.back(), a = axes[column];
  axes.pop_back();
  axes.erase(axes.begin() + static_cast<std::ptrdiff_t>(column));
  for_each_block(axes, chunk_count(a.size, kTile), kTile * b.size,
                 [&](std::int64_t from_base, std::int64_t to_base, std::int64_t block) {
                   T tile[kTile][kTile + 1];
                   const std::int64_t a0 = block * kTile, a_count = std::min(kTile, a.size - a0);
                   for (std::int64_t b0 = 0; b0 < b.size; b0 += kTile) {
                     const std::int64_t b_count = std::min(kTile, b.size - b0);
                     const T* source = from + from_base + a0 + b0 * b.from_stride;
                     for (std::int64_t j = 0; j < b_count; ++j)
                       for (std::int64_t i = 0; i < a_count; ++i) tile[j][i] = source[j * b.from_stride + i];
                     T* target = to + to_base + a0 * a.to_stride + b0;
                     for (std::int64_t i = 0; i < a_count; ++i)
                       for (std::int64_t j = 0; j < b_count; ++j) target[i * a.to_stride + j] = tile[j][i];
                   }
                 });
}

template <typename T>
void copy_typed(const T* from, T* to, const StridedCopy& copy) {
  from += copy.from_offset;
  to += copy.to_offset;
  Axes axes = copy.simplified().axes;
  if (axes.empty()) axes = {{1, 1, 1}};
  if (axes.back().to_stride == 1 && axes.back().from_stride != 1)
    for (std::size_t k = 0; k + 1 < axes.size(); ++k)
      if (axes[k].from_stride == 1) return copy_transposed(from, to, std::move(axes), k);
  copy_rows(from, to, std::move(axes));
}

}  // namespace

void copy_strided(const Tensor& from, Tensor& to, const StridedCopy& copy) {
  for (const Axis& axis : copy.axes)
    if (axis.size == 0) return;
  dispatch_all(from.dtype(), [&]<typename T>() { copy_typed(from.data<T>(), to.mutable_data<T>(), copy); });
}

}  // namespace cpu

constexpr Kernel copy_kernel{"strided_copy", cpu::copy_strided, NM_CUDA(cuda::copy_strided)};

StridedCopy StridedCopy::reversed() const {
  StridedCopy result{axes, to_offset, from_offset};
  for (Axis& axis : result.axes) std::swap(axis.from_stride, axis.to_stride);
  return result;
}

StridedCopy StridedCopy::simplified() const {
  StridedCopy result{{}, from_offset, to_offset};
  for (const Axis& axis : axes) {
    if (axis.size == 1) continue;
    if (!result.axes.empty()) {
      Axis& last = result.axes.back();
      if (last.from_stride == axis.size * axis.from_stride && last.to_stride == axis.size * axis.to_stride) {
        last = {last.size * axis.size, axis.from_stride, axis.to_stride};
        continue;
      }
    }
    result.axes.push_back(axis);
  }
  return result;
}

void copy_strided(const char* op, const Tensor& from, Tensor& to, const StridedCopy& copy) {
  check_same_kind(op, from, to);
  copy_kernel(from, to, copy);
}

}  // namespace noisymix
