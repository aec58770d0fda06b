// The one mover of elements behind permute, flip, expand, slice and concat: reading and writing with strides.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"

namespace noisymix {

/// For every index (i_0, i_1, ...) below the sizes: to[to_offset + sum i_k to_stride_k] =
/// from[from_offset + sum i_k from_stride_k]. Counted in elements; a source stride may be 0 or negative.
struct StridedCopy {
  struct Axis {
    std::int64_t size, from_stride, to_stride;
  };
  std::vector<Axis> axes;
  std::int64_t from_offset = 0, to_offset = 0;

  /// The copy that undoes this one, for axes that visit each source element once.
  StridedCopy reversed() const;
  /// For the kernels: the same copy without axes of size 1, neighbours joined that both sides walk as one.
  StridedCopy simplified() const;
};

/// Copies between tensors of one dtype and device; no target element may be written twice. `op` is named in
/// errors. Not recorded.
void copy_strided(const char* op, const Tensor& from, Tensor& to, const StridedCopy& copy);

namespace cpu {
void copy_strided(const Tensor& from, Tensor& to, const StridedCopy& copy);
}  // namespace cpu
namespace cuda {
void copy_strided(const Tensor& from, Tensor& to, const StridedCopy& copy);
}  // namespace cuda

}  // namespace noisymix
