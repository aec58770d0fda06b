// What the kernels of a convolution are told, on every device.
#pragma once

#include <cstdint>

#include "engine/tensor.h"

namespace noisymix {

/// Sizes of one 2-D convolution, x [n, h, w, c] * weight [o, kh, kw, c / groups] -> y [n, ho, wo, o].
struct ConvShape {
  std::int64_t n, h, w, c;
  std::int64_t o, kh, kw;
  std::int64_t ho, wo;
  std::int64_t stride_h, stride_w, padding_h, padding_w, dilation_h, dilation_w, groups;

  std::int64_t group_c() const { return c / groups; }
  std::int64_t group_o() const { return o / groups; }
  std::int64_t depth() const { return kh * kw * group_c(); }  ///< products per output value
};

/// What happens to a convolution's sums before they are stored: (sum + bias + residual) * scale + shift, then
/// max(., 0) with relu. Tensors may be undefined, scale and shift only together.
struct ConvEpilogue {
  Tensor bias;          // [o], f32 or the dtype of x
  Tensor residual;      // the shape and dtype of the result
  Tensor scale, shift;  // f32 [o]
  bool relu = false;
};

}  // namespace noisymix
