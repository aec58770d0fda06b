#include "engine/ops/elementwise.h"

#include <array>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"
#include "engine/ops/binary_math.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/elementwise_math.h"
#include "engine/ops/reduce.h"

namespace noisymix {
namespace cpu {
namespace {

// Elements per chunk: about 100 KB of traffic, well above the cost of handing out a chunk.
constexpr std::int64_t kGrain = 1 << 15;

/// y = f(x), element by element.
template <typename F>
void unary(const Tensor& x, Tensor& y, F f) {
  dispatch_floating(F::kName, x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(x.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      const T* __restrict in = from;
      T* __restrict out = to;
      for (std::int64_t i = begin; i < end; ++i) out[i] = T(f.value(static_cast<C>(in[i])));
    });
  });
}

/// dx = dy * f'(x); `saved` is what F::kSaves says, dy itself when that is nothing.
template <typename F>
void unary_grad(const Tensor& dy, const Tensor& saved, Tensor& dx, F f) {
  dispatch_floating(F::kName, dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = saved.data<T>();
    const T* gradient = dy.data<T>();
    T* to = dx.mutable_data<T>();
    parallel_for(dy.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      T* __restrict out = to;
      for (std::int64_t i = begin; i < end; ++i)
        out[i] = T(f.gradient(static_cast<C>(from[i]), static_cast<C>(gradient[i])));
    });
  });
}

/// y[i] = f(a[i * A], b[i * B]) on one row; constant strides let the compiler vectorise each of the four
/// cases.
template <int A, int B, typename T, typename F>
void binary_row(const T* a, const T* b, T* __restrict y, std::int64_t count, F f) {
  using C = compute_t<T>;
  for (std::int64_t i = 0; i < count; ++i) y[i] = T(f(static_cast<C>(a[i * A]), static_cast<C>(b[i * B])));
}

template <typename T, typename F>
void binary_row(const std::array<std::int64_t, 2>& strides, const T* a, const T* b, T* y, std::int64_t count,
                F f) {
  if (strides[0] && strides[1])
    binary_row<1, 1>(a, b, y, count, f);
  else if (strides[0])
    binary_row<1, 0>(a, b, y, count, f);
  else if (strides[1])
    binary_row<0, 1>(a, b, y, count, f);
  else
    binary_row<0, 0>(a, b, y, count, f);
}

/// y = f(a, b) with a and b broadcast to y.
template <typename F>
void binary(const Tensor& a, const Tensor& b, Tensor& y, F f) {
  const auto plan = plan_broadcast<2>(y.shape(), {a.shape(), b.shape()});
  dispatch_floating(F::kName, y.dtype(), [&]<typename T>() {
    const T* from_a = a.data<T>();
    const T* from_b = b.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(y.numel(), kGrain, [&, from_a, from_b, to](std::int64_t begin, std::int64_t end) {
      for_each_row(plan, begin, end, [&](const auto& offsets, std::int64_t first, std::int64_t count) {
        binary_row(plan.inner.strides, from_a + offsets[0], from_b + offsets[1], to + first, count,
                   [f](auto p, auto q) { return f.value(p, q); });
      });
    });
  });
}

template <int A, int B, bool ToA, typename T, typename F>
void binary_grad_row(const T* a, const T* b, const T* dy, T* __restrict dx, std::int64_t count, F f) {
  using C = compute_t<T>;
  for (std::int64_t i = 0; i < count; ++i) {
    const C p = static_cast<C>(a[i * A]), q = static_cast<C>(b[i * B]), g = static_cast<C>(dy[i]);
    dx[i] = T(ToA ? f.gradient_a(p, q, g) : f.gradient_b(p, q, g));
  }
}

/// Gradient of operand a (ToA) or b in the shape of dy, before it is summed back over broadcast axes.
template <bool ToA, typename F>
void binary_grad(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& dx, F f) {
  const auto plan = plan_broadcast<2>(dy.shape(), {a.shape(), b.shape()});
  const bool step_a = plan.inner.strides[0] != 0, step_b = plan.inner.strides[1] != 0;
  dispatch_floating(F::kName, dy.dtype(), [&]<typename T>() {
    const T *from_a = a.data<T>(), *from_b = b.data<T>(), *gradient = dy.data<T>();
    T* to = dx.mutable_data<T>();
    const auto row = step_a && step_b ? &binary_grad_row<1, 1, ToA, T, F>
                     : step_a         ? &binary_grad_row<1, 0, ToA, T, F>
                     : step_b         ? &binary_grad_row<0, 1, ToA, T, F>
                                      : &binary_grad_row<0, 0, ToA, T, F>;
    parallel_for(dy.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for_each_row(plan, begin, end, [&](const auto& offsets, std::int64_t first, std::int64_t count) {
        row(from_a + offsets[0], from_b + offsets[1], gradient + first, to + first, count, f);
      });
    });
  });
}

template <typename F>
void binary_grad_a(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& da, F f) {
  binary_grad<true>(dy, a, b, da, f);
}

template <typename F>
void binary_grad_b(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& db, F f) {
  binary_grad<false>(dy, a, b, db, f);
}

/// y = a where condition is not 0, else b; all three broadcast to y.
void where(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  const auto plan = plan_broadcast<3>(y.shape(), {condition.shape(), a.shape(), b.shape()});
  const auto [step_c, step_a, step_b] = plan.inner.strides;
  dispatch_floating("where", y.dtype(), [&, sc = step_c, sa = step_a, sb = step_b]<typename T>() {
    const std::uint8_t* choice = condition.data<std::uint8_t>();
    const T *from_a = a.data<T>(), *from_b = b.data<T>();
    T* to = y.mutable_data<T>();
    parallel_for(y.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      for_each_row(plan, begin, end, [&](const auto& offsets, std::int64_t first, std::int64_t count) {
        const std::uint8_t* c = choice + offsets[0];
        const T *p = from_a + offsets[1], *q = from_b + offsets[2];
        for (std::int64_t i = 0; i < count; ++i) to[first + i] = c[i * sc] ? p[i * sa] : q[i * sb];
      });
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

template <typename F>
Tensor apply(const Tensor& x, F f) {
  const Kernel forward{F::kName, cpu::unary<F>, NM_CUDA(cuda::unary<F>)};
  Tensor y = empty_like(x);
  forward(x, y, f);
  Tensor saved;
  if constexpr (F::kSaves == math::Saves::input) saved = x.detach();
  if constexpr (F::kSaves == math::Saves::output) saved = y.detach();
  return record(F::kName, {x}, y, [saved, f](const Tensor& dy) {
    if constexpr (F::kSaves == math::Saves::identity) return Grads{dy};
    const Kernel backward_kernel{F::kName, cpu::unary_grad<F>, NM_CUDA(cuda::unary_grad<F>)};
    Tensor dx = empty_like(dy);
    backward_kernel(dy, saved.defined() ? saved : dy, dx, f);
    return Grads{dx};
  });
}

template <typename F>
Tensor apply(const Tensor& a, const Tensor& b, F f) {
  check_same_kind(F::kName, a, b);
  const Kernel forward{F::kName, cpu::binary<F>, NM_CUDA(cuda::binary<F>)};
  Tensor y = Tensor::empty(broadcast_shapes(F::kName, a.shape(), b.shape()), a.dtype(), a.device());
  forward(a, b, y, f);
  const bool to_a = wants_grad(a), to_b = wants_grad(b);
  const unsigned reads = (to_a ? F::kReadsForA : 0u) | (to_b ? F::kReadsForB : 0u);
  const Tensor kept_a = reads & math::kA ? a.detach() : Tensor();
  const Tensor kept_b = reads & math::kB ? b.detach() : Tensor();
  return record(F::kName, {a, b}, y,
                [kept_a, kept_b, shape_a = a.shape(), shape_b = b.shape(), to_a, to_b, f](const Tensor& dy) {
                  const Kernel kernel_a{F::kName, cpu::binary_grad_a<F>, NM_CUDA(cuda::binary_grad_a<F>)};
                  const Kernel kernel_b{F::kName, cpu::binary_grad_b<F>, NM_CUDA(cuda::binary_grad_b<F>)};
                  const auto gradient = [&](const auto& kernel, unsigned reads_for, const Shape& shape) {
                    if (reads_for == math::kIdentity) return sum_to_shape(dy, shape);
                    Tensor full = empty_like(dy);
                    kernel(dy, kept_a.defined() ? kept_a : dy, kept_b.defined() ? kept_b : dy, full, f);
                    return sum_to_shape(full, shape);
                  };
                  return Grads{to_a ? gradient(kernel_a, F::kReadsForA, shape_a) : Tensor(),
                               to_b ? gradient(kernel_b, F::kReadsForB, shape_b) : Tensor()};
                });
}

}  // namespace

#define NM_DEFINE(function, Functor)  \
  Tensor function(const Tensor& x) {  \
    return apply(x, math::Functor{}); \
  }
NM_UNARY_FUNCTIONS(NM_DEFINE)
#undef NM_DEFINE

#define NM_DEFINE(function, Functor)                  \
  Tensor function(const Tensor& a, const Tensor& b) { \
    return apply(a, b, math::Functor{});              \
  }
NM_BINARY_FUNCTIONS(NM_DEFINE)
#undef NM_DEFINE

Tensor add(const Tensor& x, double value) {
  return apply(x, math::AddValue{value});
}
Tensor mul(const Tensor& x, double value) {
  return apply(x, math::MulValue{value});
}
Tensor pow(const Tensor& x, double exponent) {
  return apply(x, math::Pow{exponent});
}
Tensor leaky_relu(const Tensor& x, double slope) {
  return apply(x, math::LeakyRelu{slope});
}
Tensor elu(const Tensor& x, double alpha) {
  return apply(x, math::Elu{alpha});
}

Tensor clamp(const Tensor& x, double low, double high) {
  NM_CHECK(low <= high, "[clamp] expects low <= high, got ", low, " and ", high);
  return apply(x, math::Clamp{low, high});
}

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  static constexpr Kernel kernel{"where", cpu::where, NM_CUDA(cuda::where)};
  check_same_kind("where", a, b);
  NM_CHECK(condition.dtype() == Dtype::u8, "[where] expects a u8 condition, got ", condition.dtype());
  NM_CHECK(condition.device() == a.device(), "[where] expects tensors on one device, got ",
           condition.device(), " and ", a.device());
  const Shape shape =
      broadcast_shapes("where", condition.shape(), broadcast_shapes("where", a.shape(), b.shape()));
  Tensor y = Tensor::empty(shape, a.dtype(), a.device());
  kernel(condition, a, b, y);
  return record("where", {a, b}, y,
                [condition = condition.detach(), shape_a = a.shape(), shape_b = b.shape()](const Tensor& dy) {
                  const Tensor zero = Tensor::scalar(0, dy.dtype(), dy.device());
                  Tensor da = empty_like(dy), db = empty_like(dy);
                  kernel(condition, dy, zero, da);
                  kernel(condition, zero, dy, db);
                  return Grads{sum_to_shape(da, shape_a), sum_to_shape(db, shape_b)};
                });
}

Tensor sum_to_shape(const Tensor& x, const Shape& shape) {
  if (x.shape() == shape) return x;
  NM_CHECK(broadcast_shapes("sum_to_shape", x.shape(), shape) == x.shape(), "[sum_to_shape] ", shape,
           " does not broadcast to ", x.shape());
  Axes axes;
  for (int axis = 0; axis < x.rank(); ++axis) {
    const int own = axis - (x.rank() - shape.rank());
    if (own < 0 || (shape[own] == 1 && x.dim(axis) != 1)) axes.push_back(axis);
  }
  NoGrad unrecorded;
  const Tensor summed = axes.empty() ? x : sum(x, axes, true);
  return summed.reshape(shape);
}

}  // namespace noisymix
