#include "engine/ops/strided_copy.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

constexpr int kMostAxes = 12;

/// The axes that matter, as plain numbers: those of size 1 are left out, neighbours walked as one are joined.
struct Walk {
  int axes = 0;
  std::int64_t size[kMostAxes], from_stride[kMostAxes], to_stride[kMostAxes];

  explicit Walk(const StridedCopy& copy) {
    for (const StridedCopy::Axis& axis : copy.axes) {
      if (axis.size == 1) continue;
      const int last = axes - 1;
      if (axes > 0 && from_stride[last] == axis.size * axis.from_stride && to_stride[last] == axis.size * axis.to_stride) {
        size[last] *= axis.size;
        from_stride[last] = axis.from_stride;
        to_stride[last] = axis.to_stride;
        continue;
      }
      NM_CHECK(axes < kMostAxes, "[strided_copy] more than ", kMostAxes, " axes");
      size[axes] = axis.size;
      from_stride[axes] = axis.from_stride;
      to_stride[axes++] = axis.to_stride;
    }
  }
};

/// T only has the size of an element.
template <typename T>
__global__ void copy_kernel(const T* from, T* to, Walk walk, std::int64_t count) {
  NM_FOR_EACH(i, count) {
    std::int64_t rest = i, source = 0, target = 0;
    for (int k = walk.axes - 1; k >= 0; --k) {
      const std::int64_t index = rest % walk.size[k];
      rest /= walk.size[k];
      source += index * walk.from_stride[k];
      target += index * walk.to_stride[k];
    }
    to[target] = from[source];
  }
}

template <typename T>
void copy_elements(const Tensor& from, Tensor& to, const StridedCopy& copy, std::int64_t count) {
  launch(copy_kernel<T>, blocks_for(count), kBlock, reinterpret_cast<const T*>(from.raw()) + copy.from_offset,
         reinterpret_cast<T*>(to.raw()) + copy.to_offset, Walk(copy), count);
}

}  // namespace

void copy_strided(const Tensor& from, Tensor& to, const StridedCopy& copy) {
  std::int64_t count = 1;
  for (const StridedCopy::Axis& axis : copy.axes) count *= axis.size;
  switch (size_of(from.dtype())) {
    case 1: return copy_elements<std::uint8_t>(from, to, copy, count);
    case 2: return copy_elements<std::uint16_t>(from, to, copy, count);
    case 4: return copy_elements<std::uint32_t>(from, to, copy, count);
    default: return copy_elements<std::uint64_t>(from, to, copy, count);
  }
}

}  // namespace noisymix::cuda
