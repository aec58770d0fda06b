// One launch over many tensors: the parameters of a network.
#pragma once

#include <vector>

#include "engine/cuda/launch.h"
#include "engine/tensor.h"

namespace noisymix::cuda {

constexpr int kMostTensors = 64;  // of a launch: the table is passed by value, below 4 KB
constexpr std::int64_t kTablePiece = std::int64_t{1} << 13;  // elements that a block works on

/// K arrays for each of up to kMostTensors tensors, cut into pieces of kTablePiece elements.
template <int K>
struct TensorTable {
  void* at[K][kMostTensors];
  std::int64_t count[kMostTensors];
  std::int32_t first_block[kMostTensors + 1];
  std::int32_t tensors;

  /// Adds a tensor's arrays; false when the table is full.
  bool add(const void* const (&arrays)[K], std::int64_t elements) {
    if (tensors == kMostTensors) return false;
    for (int k = 0; k < K; ++k) at[k][tensors] = const_cast<void*>(arrays[k]);
    count[tensors] = elements;
    first_block[tensors + 1] =
        first_block[tensors] + static_cast<std::int32_t>((elements + kTablePiece - 1) / kTablePiece);
    ++tensors;
    return true;
  }
  unsigned blocks() const { return static_cast<unsigned>(first_block[tensors]); }
};

/// What the running block works on: elements [begin, end) of one tensor.
struct TablePiece {
  int tensor;
  std::int64_t begin, end;
  template <int K>
  __device__ explicit TablePiece(const TensorTable<K>& table) : tensor(0) {
    const auto block = static_cast<std::int32_t>(blockIdx.x);
    while (tensor + 1 < table.tensors && block >= table.first_block[tensor + 1]) ++tensor;
    begin = (block - table.first_block[tensor]) * kTablePiece;
    end = begin + kTablePiece < table.count[tensor] ? begin + kTablePiece : table.count[tensor];
  }
};

}  // namespace noisymix::cuda
