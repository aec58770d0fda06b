// Convolutions of NHWC feature maps in bf16 with sums in f32, on tiles (see tile_kernels.h). Weights, their
// gradient and biases are f32 or bf16: with f32 ones this is mixed precision, and they are rounded only while
// they are packed. Every function is parallel and gives the same bits for any number of threads.
#pragma once

#include "engine/cpu/conv_geometry.h"
#include "engine/tensor.h"

namespace noisymix::cpu {

/// y [n, ho, wo, o] bf16 from x [n, h, w, c] bf16, weight [o, kh, kw, c / groups], bias [o] or undefined, plus
/// `residual`, of the shape of y, or undefined.
void conv2d_bf16(const ConvShape& shape, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const Tensor& residual, Tensor& y);

/// dx [n, h, w, c] bf16 from dy [n, ho, wo, o] bf16.
void conv2d_input_grad_bf16(const ConvShape& shape, const Tensor& dy, const Tensor& weight, Tensor& dx);

/// dweight [o, kh, kw, c / groups], f32 or bf16, from x and dy in bf16.
void conv2d_weight_grad_bf16(const ConvShape& shape, const Tensor& x, const Tensor& dy, Tensor& dweight);

}  // namespace noisymix::cpu
