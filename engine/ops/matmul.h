// Matrix products.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

struct MatmulOptions {
  bool transpose_a = false;
  bool transpose_b = false;
};

/// a [m, k] x b [k, n] -> [m, n], or batched [s, m, k] x [s, k, n] -> [s, m, n]; transposed operands are [k,
/// m], [n, k].
Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options = {});

/// x [..., in] x weight [out, in] transposed + bias [out] -> [..., out]. The bias may be undefined. With x
/// in bf16 weight and bias may be f32, as in conv2d.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias);

}  // namespace noisymix
