// Tensors of random numbers; element i is a pure function of the key and i: low + (high - low) *
// key.uniform(i), or mean + stddev * key.normal(i), each from block i of the key and rounded once from
// double. All dtypes see equal numbers.
#pragma once

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Uniform on [low, high).
Tensor random_uniform(const Shape& shape, Key key, double low = 0, double high = 1, Dtype dtype = Dtype::f32,
                      Device device = {});
/// On a GPU equal to the CPU's up to the last digit of a double before it is rounded.
Tensor random_normal(const Shape& shape, Key key, double mean = 0, double stddev = 1,
                     Dtype dtype = Dtype::f32, Device device = {});

namespace cuda {
void random_uniform(Tensor& y, Key key, double low, double high, double last);
void random_normal(Tensor& y, Key key, double mean, double stddev);
}  // namespace cuda

}  // namespace noisymix
