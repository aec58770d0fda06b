// Convolutions of NHWC feature maps in bf16 with sums in f32, on tiles (see tile_kernels.h). Weights, their
// gradient and biases are f32 or bf16: with f32 ones this is mixed precision, and they are rounded only while
// they are packed. Every function is parallel and gives the same bits for any number of threads.
#pragma once

#include "engine/cpu/conv_geometry.h"
#include "engine/tensor.h"

namespace noisymix::cpu {

/// y [n, ho, wo, o] bf16 from x [n, h, w, c] bf16 and weight [o, kh, kw, c / groups].
void conv2d_bf16(const ConvShape& shape, const Tensor& x, const Tensor& weight, const ConvEpilogue& epilogue,
                 Tensor& y);

/// dx [n, h, w, c] bf16 from dy [n, ho, wo, o] bf16.
void conv2d_input_grad_bf16(const ConvShape& shape, const Tensor& dy, const Tensor& weight, Tensor& dx);

/// dweight [o, kh, kw, c / groups] from x and dy in bf16; W is float or bfloat16. dy is added up over pixels
/// and images into dbias [o] on the way, unless that is null.
template <typename W>
void conv2d_weight_grad_bf16(const ConvShape& shape, const bfloat16* x, const bfloat16* dy, W* dweight,
                             double* dbias = nullptr);

/// c [m, n] = a [m, k] * b + bias [n] (null: 0), where element (i, j) of b is b[i * row_stride + j *
/// col_stride]: the convolution of m maps of one pixel. W is float or bfloat16.
template <typename W>
void gemm_bf16(std::int64_t m, std::int64_t n, std::int64_t k, const bfloat16* a, const W* b,
               std::int64_t row_stride, std::int64_t col_stride, const float* bias, bfloat16* c);

/// c [m, n] = transposed a [k, m] * b [k, n]: the weight gradient of that convolution.
template <typename W>
void gemm_transposed_bf16(std::int64_t m, std::int64_t n, std::int64_t k, const bfloat16* a,
                          const bfloat16* b, W* c);

}  // namespace noisymix::cpu
