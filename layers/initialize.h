// Initial values of parameters.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Overwrites x with draws from U(-1/sqrt(fan_in), 1/sqrt(fan_in)): PyTorch's default for the weights and
/// biases of convolutions and linear maps (there written as Kaiming-uniform with a = sqrt 5).
void fill_fan_in_uniform(Tensor& x, std::int64_t fan_in, Key key);

/// Overwrites every element with one value.
void fill_constant(Tensor& x, double value);

}  // namespace noisymix
