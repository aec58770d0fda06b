// Softmax and its logarithm along an axis, stable for large inputs.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);

}  // namespace noisymix
