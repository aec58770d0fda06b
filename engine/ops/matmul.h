// Matrix products.
#pragma once

#include <cstdint>
#include <vector>

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

// --- Kernels -----------------------------------------------------------------------------------------------

/// A product of `batch` pairs of matrices, [m, k] x [k, n] after transposition. Matrix s of an operand starts
/// at offsets[s]; a batch axis of size 1 repeats.
struct Product {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  std::vector<std::int64_t> a_offsets, b_offsets;
};

namespace cuda {
Tensor matmul(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& product, Dtype dtype);
Tensor linear_bias_grad(const Tensor& dy, Dtype dtype);
}  // namespace cuda

}  // namespace noisymix
