// Dropout with its mask regenerated from the key instead of stored.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Each element is 0 with probability p, else x / (1 - p). 0 <= p < 1.
Tensor dropout(const Tensor& x, double p, Key key);
/// Zeroes whole samples (first axis) with probability p, else x / (1 - p): stochastic depth.
Tensor drop_path(const Tensor& x, double p, Key key);

}  // namespace noisymix
