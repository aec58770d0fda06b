// Tensors of random numbers; element i is a pure function of the key and i.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Uniform on [low, high).
Tensor random_uniform(const Shape& shape, Key key, double low = 0, double high = 1, Dtype dtype = Dtype::f32);
Tensor random_normal(const Shape& shape, Key key, double mean = 0, double stddev = 1, Dtype dtype = Dtype::f32);

}  // namespace noisymix
