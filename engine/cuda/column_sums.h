// Sums over the rows of a matrix on the GPU: gradients of biases.
#pragma once

#include "engine/tensor.h"

namespace noisymix::cuda {

/// x [rows, columns], any floating dtype, to sums [columns] in `dtype`: that of x or f32. Same order of
/// additions every time.
Tensor column_sums(const Tensor& x, std::int64_t rows, std::int64_t columns, Dtype dtype);

}  // namespace noisymix::cuda
