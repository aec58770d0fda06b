#include "engine/ops/matmul.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/cpu/column_sums.h"
#include "engine/cpu/conv_bf16.h"
#include "engine/cpu/gemm.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"
#include "engine/ops/elementwise.h"

namespace noisymix {
namespace cpu {

/// c [m, n] = a * b (+ bias [n]) as plain loops, in f64.
void gemm_reference(const Product& p, const double* a, const double* b, const double* bias, double* c) {
  parallel_for(p.m, std::max<std::int64_t>(1, 65536 / (p.n * p.k + 1)),
               [&](std::int64_t begin, std::int64_t end) {
                 for (std::int64_t i = begin; i < end; ++i) {
                   double* row = c + i * p.n;
                   for (std::int64_t j = 0; j < p.n; ++j) row[j] = bias ? bias[j] : 0.0;
                   for (std::int64_t q = 0; q < p.k; ++q) {
                     const double left = p.transpose_a ? a[q * p.m + i] : a[i * p.k + q];
                     const double* right = p.transpose_b ? b + q : b + q * p.n;
                     const std::int64_t step = p.transpose_b ? p.k : 1;
                     for (std::int64_t j = 0; j < p.n; ++j) row[j] += left * right[j * step];
                   }
                 }
               });
}

void gemm_f32(const Product& p, const float* a, const float* b, const float* bias, float* c) {
  const MatrixView left = p.transpose_a ? MatrixView{a, 1, p.m} : MatrixView{a, p.k, 1};
  const MatrixView right = p.transpose_b ? MatrixView{b, 1, p.k} : MatrixView{b, p.n, 1};
  gemm(p.m, p.n, p.k, left, right, bias, c);
}

/// c = a * b (+ bias) with a in bf16, b in bf16 or f32.
template <typename B>
void multiply_bf16(const Product& p, const bfloat16* a, const B* b, const float* bias, bfloat16* c) {
  gemm_bf16(p.m, p.n, p.k, a, b, p.transpose_b ? 1 : p.n, p.transpose_b ? p.k : 1, bias, c);
}

/// The products of a whole batch, [batch, m, n], in `dtype`, which is that of a and b unless one is bf16.
Tensor matmul(const Tensor& a, const Tensor& b, const Tensor& bias, const Product& p, Dtype dtype) {
  const std::int64_t batch = static_cast<std::int64_t>(p.a_offsets.size());
  count_flops(2.0 * static_cast<double>(batch * p.m * p.n) * static_cast<double>(p.k));
  Tensor c = Tensor::empty(Shape{batch, p.m, p.n}, dtype);
  const Tensor shift = bias.defined() ? bias.to(a.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32) : bias;
  // One product alone is parallel inside; of many, each runs on one thread.
  const auto run = [&]<typename A, typename B, typename C, typename S>(auto multiply) {
    const S* offset = shift.defined() ? shift.data<S>() : nullptr;
    const A* left = a.data<A>();
    const B* right = b.data<B>();
    C* result = c.mutable_data<C>();
    parallel_for(batch, 1, [&](std::int64_t s, std::int64_t) {
      const auto index = static_cast<std::size_t>(s);
      multiply(p, left + p.a_offsets[index], right + p.b_offsets[index], offset, result + s * p.m * p.n);
    });
  };
  if (a.dtype() == Dtype::f32) {
    run.template operator()<float, float, float, float>(gemm_f32);
  } else if (a.dtype() == Dtype::f64) {
    run.template operator()<double, double, double, double>(gemm_reference);
  } else if (!p.transpose_a) {
    if (b.dtype() == Dtype::f32)
      run.template operator()<bfloat16, float, bfloat16, float>(multiply_bf16<float>);
    else
      run.template operator()<bfloat16, bfloat16, bfloat16, float>(multiply_bf16<bfloat16>);
  } else if (!p.transpose_b) {
    const auto transposed = [](const Product& q, const bfloat16* x, const bfloat16* y, const float*,
                               auto* z) { gemm_transposed_bf16(q.m, q.n, q.k, x, y, z); };
    if (dtype == Dtype::f32)
      run.template operator()<bfloat16, bfloat16, float, float>(transposed);
    else
      run.template operator()<bfloat16, bfloat16, bfloat16, float>(transposed);
  } else {  // both transposed: no model does this, so f32 serves
    return matmul(a.to(Dtype::f32), b.to(Dtype::f32), shift, p, Dtype::f32).to(dtype);
  }
  return c;
}

/// Sums over all axes but the last, in `dtype`: that of dy or f32.
Tensor bias_grad(const Tensor& dy, Dtype dtype) {
  const std::int64_t columns = dy.dim(-1), rows = columns == 0 ? 0 : dy.numel() / columns;
  Tensor sums = Tensor::empty(Shape{columns}, dtype);
  dispatch_floating("linear", dy.dtype(), [&]<typename T>() {
    if (dtype == dy.dtype())
      column_sums(dy.data<T>(), rows, columns, sums.mutable_data<T>());
    else
      column_sums(dy.data<T>(), rows, columns, sums.mutable_data<float>());
  });
  return sums;
}

}  // namespace cpu

namespace {

constexpr Kernel matmul_kernel{"matmul", cpu::matmul, NM_CUDA(cuda::matmul)};
constexpr Kernel bias_grad_kernel{"linear", cpu::bias_grad, NM_CUDA(cuda::linear_bias_grad)};

/// The sizes of all axes but the last two.
Shape batch_of(const Shape& shape) {
  return Shape(std::vector<std::int64_t>(shape.dims().begin(), shape.dims().end() - 2));
}

/// Where each matrix of the broadcast batch starts in an operand of that shape.
std::vector<std::int64_t> matrix_offsets(const Shape& shape, const Shape& batch) {
  const Shape own = batch_of(shape);
  const std::vector<std::int64_t> strides = own.strides();
  const std::int64_t matrix = shape[-1] * shape[-2];
  std::vector<std::int64_t> offsets(static_cast<std::size_t>(batch.numel()));
  for (std::size_t s = 0; s < offsets.size(); ++s) {
    std::int64_t rest = static_cast<std::int64_t>(s), offset = 0;
    for (int axis = batch.rank() - 1; axis >= 0; --axis) {
      const std::int64_t index = rest % batch[axis];
      rest /= batch[axis];
      const int mine = axis - (batch.rank() - own.rank());
      if (mine >= 0 && own[mine] != 1) offset += index * strides[static_cast<std::size_t>(mine)];
    }
    offsets[s] = offset * matrix;
  }
  return offsets;
}

/// matmul without the tape, into `dtype`.
Tensor multiply(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, Dtype dtype) {
  const Shape batch = broadcast_shapes("matmul", batch_of(a.shape()), batch_of(b.shape()));
  const Product p{a.dim(transpose_a ? -1 : -2),
                  b.dim(transpose_b ? -2 : -1),
                  a.dim(transpose_a ? -2 : -1),
                  transpose_a,
                  transpose_b,
                  matrix_offsets(a.shape(), batch),
                  matrix_offsets(b.shape(), batch)};
  std::vector<std::int64_t> dims = batch.dims();
  dims.push_back(p.m);
  dims.push_back(p.n);
  return matmul_kernel(a, b, Tensor(), p, dtype).reshape(dims);
}

void check_operands(const Tensor& a, const Tensor& b, const MatmulOptions& o) {
  NM_CHECK(a.rank() >= 2 && b.rank() >= 2, "[matmul] expects matrices or batches of them, got shapes ",
           a.shape(), " and ", b.shape());
  check_same_kind("matmul", a, b);
  NM_CHECK(is_floating(a.dtype()), "[matmul] expects a floating dtype (f32, bf16, f64), got ", a.dtype());
  const std::int64_t k = a.dim(o.transpose_a ? -2 : -1);
  NM_CHECK(k == b.dim(o.transpose_b ? -1 : -2), "[matmul] a", o.transpose_a ? " transposed" : "", " has ", k,
           " columns, b", o.transpose_b ? " transposed" : "", " must have as many rows; shapes are ",
           a.shape(), " and ", b.shape());
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b, MatmulOptions options) {
  check_operands(a, b, options);
  const bool ta = options.transpose_a, tb = options.transpose_b;
  const Tensor left = a.detach(), right = b.detach();
  const Dtype dtype = a.dtype();
  const Tensor y = multiply(left, right, ta, tb, dtype);
  const bool want_a = wants_grad(a), want_b = wants_grad(b);
  const Shape a_shape = a.shape(), b_shape = b.shape();
  const Tensor kept_a = want_b ? left : Tensor(), kept_b = want_a ? right : Tensor();
  return record("matmul", {a, b}, y, [=](const Tensor& dy) {
    Grads grads(2);
    if (want_a)
      grads[0] = sum_to_shape(
          ta ? multiply(kept_b, dy, tb, true, dtype) : multiply(dy, kept_b, false, !tb, dtype), a_shape);
    if (want_b)
      grads[1] = sum_to_shape(
          tb ? multiply(dy, kept_a, true, ta, dtype) : multiply(kept_a, dy, !ta, false, dtype), b_shape);
    return grads;
  });
}

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  NM_CHECK(weight.rank() == 2, "[linear] expects weight [out, in], got shape ", weight.shape());
  NM_CHECK(x.rank() >= 1 && x.dim(-1) == weight.dim(1), "[linear] weight expects ", weight.dim(1),
           " input features, x has shape ", x.shape());
  check_parameter("linear", "weight", x, weight);
  NM_CHECK(is_floating(x.dtype()), "[linear] expects a floating dtype (f32, bf16, f64), got ", x.dtype());
  const std::int64_t in = weight.dim(1), out = weight.dim(0);
  if (bias.defined()) {
    check_parameter("linear", "bias", x, bias);
    NM_CHECK(bias.shape() == Shape{out}, "[linear] expects bias [", out, "], got shape ", bias.shape());
  }
  const std::vector<std::int64_t>& dims = x.shape().dims();
  std::int64_t rows = 1;
  for (std::size_t axis = 0; axis + 1 < dims.size(); ++axis) rows *= dims[axis];
  std::vector<std::int64_t> y_dims = dims;
  y_dims.back() = out;

  const Tensor flat = x.detach().reshape(Shape{rows, in}), w = weight.detach();
  const Product p{rows, out, in, false, true, {0}, {0}};
  const Tensor y =
      matmul_kernel(flat, w, bias.defined() ? bias.detach() : bias, p, x.dtype()).reshape(y_dims);
  const bool want_x = wants_grad(x), want_weight = wants_grad(weight),
             want_bias = bias.defined() && wants_grad(bias);
  const Dtype weight_dtype = weight.dtype(), bias_dtype = bias.defined() ? bias.dtype() : weight_dtype;
  const Tensor kept_x = want_weight ? flat : Tensor(), kept_w = want_x ? w : Tensor();
  const std::vector<Tensor> inputs = bias.defined() ? std::vector{x, weight, bias} : std::vector{x, weight};
  return record("linear", inputs, y, [=, count = inputs.size(), shape = x.shape()](const Tensor& dy) {
    Grads grads(count);
    const Tensor rows_of_dy = dy.reshape(Shape{rows, out});
    if (want_x) grads[0] = multiply(rows_of_dy, kept_w, false, false, dy.dtype()).reshape(shape);
    if (want_weight) grads[1] = multiply(rows_of_dy, kept_x, true, false, weight_dtype);
    if (want_bias) grads[2] = bias_grad_kernel(rows_of_dy, bias_dtype);
    return grads;
  });
}

}  // namespace noisymix
