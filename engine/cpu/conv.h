// Convolutions of NHWC feature maps in f32 by implicit matrix products: no im2col matrix is ever stored.
// Every function is parallel and gives the same bits for any number of threads.
#pragma once

#include "engine/cpu/conv_geometry.h"

namespace noisymix::cpu {

/// y [n, ho, wo, o] from x [n, h, w, c], weight [o, kh, kw, c / groups], bias [o] or null.
void conv2d_f32(const ConvShape& shape, const float* x, const float* weight, const float* bias, float* y);

/// dx [n, h, w, c] from dy [n, ho, wo, o].
void conv2d_input_grad_f32(const ConvShape& shape, const float* dy, const float* weight, float* dx);

/// dweight [o, kh, kw, c / groups] from x and dy.
void conv2d_weight_grad_f32(const ConvShape& shape, const float* x, const float* dy, float* dweight);

}  // namespace noisymix::cpu
