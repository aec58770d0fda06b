// Softmax and its logarithm along an axis, stable for large inputs.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

Tensor softmax(const Tensor& x, int axis = -1);
Tensor log_softmax(const Tensor& x, int axis = -1);

/// For the kernels, the vectors along one axis: element j of vector (o, i) is at (o * size + j) * stride + i.
struct Vectors {
  std::int64_t outer = 1, size = 1, stride = 1;
  std::int64_t count() const { return outer * stride; }
  std::int64_t start(std::int64_t vector) const { return vector / stride * size * stride + vector % stride; }
};

namespace cuda {
void softmax(const Tensor& x, Tensor& y, const Vectors& vectors);
void softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors);
void log_softmax(const Tensor& x, Tensor& y, const Vectors& vectors);
void log_softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors);
}  // namespace cuda

}  // namespace noisymix
