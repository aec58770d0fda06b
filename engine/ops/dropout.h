// Dropout with its mask regenerated from the key instead of stored.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Each element is 0 with probability p, else x / (1 - p). 0 <= p < 1.
Tensor dropout(const Tensor& x, double p, Key key);
/// Zeroes whole samples (first axis) with probability p, else x / (1 - p): stochastic depth.
Tensor drop_path(const Tensor& x, double p, Key key);

// --- Kernels -----------------------------------------------------------------------------------------------

/// What a recorded step reads anew as "dropout" (see cuda/step_values.h).
std::vector<std::byte> pack_dropout(Key key);

/// Which elements survive: those whose 32-bit word is at least p * 2^32. Element i uses word i % 4 of block i
/// / 4.
struct DropMask {
  Key key;
  std::uint32_t threshold;
  double scale;  ///< 1 / (1 - p): the mean stays
  Tensor words;  ///< of the key, on a GPU: u8, see pack_dropout()

  DropMask(Key mask_key, double p)
      : key(mask_key),
        threshold(static_cast<std::uint32_t>(std::min<std::int64_t>(std::llround(p * 0x1p32), 0xFFFFFFFF))),
        scale(1 / (1 - p)) {}
};

namespace cuda {
void dropout(const Tensor& x, Tensor& y, const DropMask& mask);
void drop_path(const Tensor& x, Tensor& y, const DropMask& mask);
}  // namespace cuda

}  // namespace noisymix
