// Matrix products on the GPU: by cuBLASLt where it is there, else by tile_product.cuh.
#include "engine/ops/matmul.h"

#include "engine/cuda/column_sums.h"
#include "engine/cuda/cublaslt.h"
#include "engine/cuda/launch.h"
#include "engine/cuda/tile_product.cuh"
#include "engine/profile.h"

namespace noisymix::cuda {
namespace {

/// Element (i, j) of a matrix, transposed or not.
template <typename T>
struct Element {
  const T* at;
  std::int64_t row_stride, col_stride;
  __device__ compute_t<T> operator()(std::int64_t i, std::int64_t j) const {
    return value_of(at[i * row_stride + j * col_stride]);
  }
};

template <typename T, typename Sum, typename S>
struct StoreWithBias {
  T* to;
  const S* bias;
  std::int64_t width;
  __device__ void operator()(std::int64_t row, std::int64_t col, std::int64_t, Sum value) const {
    if (bias != nullptr) value += static_cast<Sum>(value_of(bias[col]));
    to[row * width + col] = T(static_cast<compute_t<T>>(value));
  }
};

/// Matrix `index` of the batch.
template <typename A, typename B, typename C, typename S>
void multiply(const Product& p, std::size_t index, const Tensor& a, const Tensor& b, const Tensor& bias,
              Tensor& c) {
  using Sum = sum_t<A>;
  const Element<A> left{a.data<A>() + p.a_offsets[index], p.transpose_a ? 1 : p.k, p.transpose_a ? p.m : 1};
  const Element<B> right{b.data<B>() + p.b_offsets[index], p.transpose_b ? 1 : p.n, p.transpose_b ? p.k : 1};
  const StoreWithBias<C, Sum, S> store{c.mutable_data<C>() + static_cast<std::int64_t>(index) * p.m * p.n,
                                       bias.defined() ? bias.data<S>() : nullptr, p.n};
  tile_product<Sum>(p.m, p.n, p.k, left, right, store, a.device());
}

/// Calls body<B, C, S>() for the types of b, the result and the bias, where a is bf16.
template <typename Body>
void dispatch_bf16(Dtype b, Dtype c, Dtype bias, Body&& body) {
  const auto with_bias = [&]<typename B, typename C>() {
    if (bias == Dtype::f32)
      body.template operator()<B, C, float>();
    else
      body.template operator()<B, C, bfloat16>();
  };
  const auto with_result = [&]<typename B>() {
    if (c == Dtype::f32)
      with_bias.template operator()<B, float>();
    else
      with_bias.template operator()<B, bfloat16>();
  };
  if (b == Dtype::f32)
    with_result.template operator()<float>();
  else
    with_result.template operator()<bfloat16>();
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& p, Dtype dtype) {
  const std::size_t batch = p.a_offsets.size();
  count_flops(2.0 * static_cast<double>(static_cast<std::int64_t>(batch) * p.m * p.n) *
              static_cast<double>(p.k));
  Tensor c = Tensor::empty({static_cast<std::int64_t>(batch), p.m, p.n}, dtype, a.device());
  if (c.numel() == 0 || cublaslt_matmul(a, b, bias, p, c)) return c;
  const Dtype bias_dtype = bias.defined() ? bias.dtype() : dtype;
  for (std::size_t i = 0; i < batch; ++i) {
    if (a.dtype() == Dtype::f32)
      multiply<float, float, float, float>(p, i, a, b, bias, c);
    else if (a.dtype() == Dtype::f64)
      multiply<double, double, double, double>(p, i, a, b, bias, c);
    else
      dispatch_bf16(b.dtype(), dtype, bias_dtype, [&]<typename B, typename C, typename S>() {
        multiply<bfloat16, B, C, S>(p, i, a, b, bias, c);
      });
  }
  return c;
}

Tensor linear_bias_grad(const Tensor& dy, Dtype dtype) {
  const std::int64_t columns = dy.dim(-1), rows = columns == 0 ? 0 : dy.numel() / columns;
  return column_sums(dy, rows, columns, dtype);
}

}  // namespace noisymix::cuda
