// 2-D cross-correlation of NHWC feature maps.
#pragma once

#include <cstdint>

#include "engine/ops/conv_shape.h"
#include "engine/tensor.h"

namespace noisymix {

/// Strides, zero padding and dilation for height and width; groups split input and output channels.
struct Conv2dOptions {
  std::int64_t stride_h = 1, stride_w = 1;
  std::int64_t padding_h = 0, padding_w = 0;
  std::int64_t dilation_h = 1, dilation_w = 1;
  std::int64_t groups = 1;

  static Conv2dOptions square(std::int64_t stride, std::int64_t padding) {
    return {stride, stride, padding, padding, 1, 1, 1};
  }
};

/// x [n, h, w, c] with weight [o, kh, kw, c / groups] and bias [o] (may be undefined) -> y [n, ho, wo, o],
/// ho = (h + 2 padding - dilation (kh - 1) - 1) / stride + 1; `residual`, of the shape of y, is added to it
/// unless undefined. Gradients for all inputs, each in its input's dtype. All have one dtype, but with x in
/// bf16 weight and bias may be f32: they are rounded on the fly and their gradients are f32 sums.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options = {},
              const Tensor& residual = {});

/// What follows a convolution in inference: y * scale + shift per channel, f32 [o], then max(y, 0) with relu.
struct ChannelAffine {
  Tensor scale, shift;
  bool relu = false;
};

/// affine(conv2d(x, weight, bias, options, residual)) in one pass over memory: a batch norm with fixed
/// statistics costs nothing then. For inference: not recorded, so it throws when a gradient of its inputs is
/// wanted.
Tensor conv2d_affine(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options,
                     const Tensor& residual, const ChannelAffine& affine);

// --- Kernels -----------------------------------------------------------------------------------------------

namespace cuda {
Tensor conv2d(const Tensor& x, const Tensor& weight, const ConvEpilogue& epilogue, const ConvShape& shape);
Tensor conv2d_input_grad(const Tensor& dy, const Tensor& weight, const ConvShape& shape);
Tensor conv2d_weight_grad(const Tensor& dy, const Tensor& x, const ConvShape& shape, Dtype dtype, Tensor& dbias);
Tensor conv2d_bias_grad(const Tensor& dy, const ConvShape& shape, Dtype dtype);
}  // namespace cuda

}  // namespace noisymix
