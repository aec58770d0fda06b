// Elementwise ops with broadcasting. Operands have one floating dtype and device; a broadcast input's gradient is summed
// back to its shape.
#pragma once

#include "engine/tensor.h"

namespace noisymix {

Tensor add(const Tensor& a, const Tensor& b);
Tensor sub(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);
/// Larger / smaller of both; on equal elements the gradient is split in halves.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// a where condition (u8, broadcast) is not 0, else b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);

Tensor add(const Tensor& x, double value);
Tensor mul(const Tensor& x, double value);
Tensor pow(const Tensor& x, double exponent);
Tensor neg(const Tensor& x);
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);
Tensor sqrt(const Tensor& x);
Tensor rsqrt(const Tensor& x);
Tensor reciprocal(const Tensor& x);
/// |x|; the gradient at 0 is 0.
Tensor abs(const Tensor& x);
/// -1, 0 or 1, NaN for NaN; the gradient is 0.
Tensor sign(const Tensor& x);
Tensor square(const Tensor& x);
/// min(max(x, low), high); the gradient is 1 where low <= x <= high, else 0.
Tensor clamp(const Tensor& x, double low, double high);

/// max(x, 0); the gradient at 0 is 0. Keeps its output, not its input, for the backward pass.
Tensor relu(const Tensor& x);
/// max(x, 0) + slope * min(x, 0).
Tensor leaky_relu(const Tensor& x, double slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1.0);
/// x * Phi(x) with the exact normal distribution function.
Tensor gelu(const Tensor& x);
/// The tanh approximation of gelu.
Tensor gelu_tanh(const Tensor& x);
/// The approximation x * sigmoid(1.702 x), used by AllConv.
Tensor gelu_sigmoid(const Tensor& x);
Tensor sigmoid(const Tensor& x);
Tensor tanh(const Tensor& x);
/// x * sigmoid(x).
Tensor silu(const Tensor& x);
/// log(1 + e^x), stable for large |x|.
Tensor softplus(const Tensor& x);

inline Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
inline Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor operator*(const Tensor& x, double value) { return mul(x, value); }
inline Tensor operator*(double value, const Tensor& x) { return mul(x, value); }
inline Tensor operator+(const Tensor& x, double value) { return add(x, value); }
inline Tensor operator-(const Tensor& x) { return neg(x); }

/// Sums `x` over the axes in which `shape` broadcast to x.shape(): the gradient of broadcasting. Not recorded.
Tensor sum_to_shape(const Tensor& x, const Shape& shape);

namespace cuda {
// F is a functor of elementwise_math.h or binary_math.h; the lists there instantiate these.
template <typename F>
void unary(const Tensor& x, Tensor& y, F f);
template <typename F>
void unary_grad(const Tensor& dy, const Tensor& saved, Tensor& dx, F f);
template <typename F>
void binary(const Tensor& a, const Tensor& b, Tensor& y, F f);
template <typename F>
void binary_grad_a(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& da, F f);
template <typename F>
void binary_grad_b(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& db, F f);
void where(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y);
}  // namespace cuda

}  // namespace noisymix
