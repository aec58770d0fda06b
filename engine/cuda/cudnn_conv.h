// Convolutions by cuDNN's graph interface, found when the program runs.
#pragma once

#include <string>
#include <vector>

#include "engine/ops/conv_shape.h"

namespace noisymix::cuda {

// Each returns false, and has done nothing, where cuDNN is missing or offers no engine: then the caller
// computes it.

/// y from x and weight. What of the epilogue was fused is removed from it.
bool cudnn_forward(const ConvShape& shape, const Tensor& x, const Tensor& weight, ConvEpilogue& epilogue,
                   Tensor& y);
bool cudnn_input_grad(const ConvShape& shape, const Tensor& dy, const Tensor& weight, Tensor& dx);
bool cudnn_weight_grad(const ConvShape& shape, const Tensor& x, const Tensor& dy, Tensor& dweight);

/// How many engines cuDNN offers for a convolution's passes on the selected device, or on that of
/// cudnn::compile_for(); 0 where it refuses.
struct ConvEngines {
  std::size_t forward = 0, fused = 0;  ///< fused: with bias and residual
  std::size_t input_grad = 0, weight_grad = 0;
  std::size_t weight_grad_f32 = 0;  ///< sums of bf16 products kept in f32
};
/// Makes the following cudnn_engines() compile for a GPU that is not there, see cudnn::compile_for(); false
/// without cuDNN 9.8.
bool cudnn_compile_for(const std::string& device_properties);
ConvEngines cudnn_engines(const ConvShape& shape, Dtype dtype, std::vector<std::string>* refusals = nullptr);

}  // namespace noisymix::cuda
