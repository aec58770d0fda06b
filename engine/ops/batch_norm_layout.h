// What the kernels of batch_norm.h need besides tensors.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

/// What turns x into y = (x - mean) * weight / sqrt(variance + epsilon) + bias, then max(y, 0) if relu is
/// set.
struct ChannelNorm {
  Tensor moments;       // f64 [2, c]: mean, variance
  Tensor weight, bias;  // [c], f32 or the dtype of x
  double epsilon;
  bool relu;
};

}  // namespace noisymix
