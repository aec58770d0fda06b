// Convolutions by cuDNN's graph interface, found when the program runs.
#pragma once

#include "engine/ops/conv_shape.h"

namespace noisymix::cuda {

// Each returns false, and has done nothing, where cuDNN is missing or offers no engine: then the caller computes it.

/// y from x and weight. What of the epilogue was fused is removed from it.
bool cudnn_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, ConvEpilogue& epilogue, Tensor& y);
bool cudnn_input_grad(const ConvShape& shape, const Tensor& dy, const Tensor& weight, Tensor& dx);
bool cudnn_weight_grad(const ConvShape& shape, const Tensor& x, const Tensor& dy, Tensor& dweight);

}  // namespace noisymix::cuda
