#include "engine/ops/reduce.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/kernel.h"
#include "engine/ops/reduce_layout.h"

namespace noisymix {
namespace cpu {
namespace {

/// Totals in double, one per result, in a tensor so that their memory comes from the allocator.
Tensor make_totals(const ReduceLayout& layout) {
  return Tensor::empty(layout.result, Dtype::f64);
}

template <typename T>
void write_results(const Tensor& totals, Tensor& y) {
  const double* from = totals.data<double>();
  T* to = y.mutable_data<T>();
  for (std::int64_t i = 0; i < y.numel(); ++i) to[i] = from_double<T>(from[i]);
}

/// y = scale * sum of x.
void sum(const Tensor& x, Tensor& y, const ReduceLayout& layout, double scale) {
  dispatch_floating("sum", x.dtype(), [&]<typename T>() {
    Tensor totals = make_totals(layout);
    double* total = totals.mutable_data<double>();
    reduce_tiles<Total>(x.data<T>(), layout, total, [](T v, std::int64_t) { return as_double(v); });
    T* out = y.mutable_data<T>();
    for (std::int64_t i = 0; i < y.numel(); ++i) out[i] = from_double<T>(scale * total[i]);
  });
}

/// dx = scale * dy, dy repeated over the reduced axes.
void sum_grad(const Tensor& dy, Tensor& dx, const ReduceLayout& layout, double scale) {
  dispatch_floating("sum", dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = dy.data<T>();
    T* to = dx.mutable_data<T>();
    const C factor = static_cast<C>(scale);
    for_each_piece(layout,
                   [=](std::int64_t offset, std::int64_t result, std::int64_t count, std::int64_t step) {
                     T* __restrict out = to + offset;
                     if (step == 0)
                       std::fill_n(out, count, T(factor * static_cast<C>(from[result])));
                     else
                       for (std::int64_t i = 0; i < count; ++i)
                         out[i] = T(factor * static_cast<C>(from[result + i]));
                   });
  });
}

/// Means (f64) and y = sum of (x - mean)^2 / divisor.
void variance(const Tensor& x, Tensor& y, Tensor& means, const ReduceLayout& layout, double divisor) {
  dispatch_floating("variance", x.dtype(), [&]<typename T>() {
    const double inverse = 1.0 / static_cast<double>(layout.count());
    double* mean = means.mutable_data<double>();
    reduce_tiles<Total>(x.data<T>(), layout, mean, [](T v, std::int64_t) { return as_double(v); });
    for (std::int64_t i = 0; i < layout.results(); ++i) mean[i] *= inverse;
    Tensor totals = make_totals(layout);
    double* total = totals.mutable_data<double>();
    reduce_tiles<Total>(x.data<T>(), layout, total, [mean](T v, std::int64_t result) {
      const double gap = as_double(v) - mean[result];
      return gap * gap;
    });
    for (std::int64_t i = 0; i < layout.results(); ++i) total[i] /= divisor;
    write_results<T>(totals, y);
  });
}

/// dx = 2 dy (x - mean) / divisor; the mean's own derivative cancels, as the gaps sum to 0.
void variance_grad(const Tensor& dy, const Tensor& x, const Tensor& means, Tensor& dx,
                   const ReduceLayout& layout, double divisor) {
  dispatch_floating("variance", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>();
    const double* mean = means.data<double>();
    T* to = dx.mutable_data<T>();
    for_each_piece(
        layout, [=](std::int64_t offset, std::int64_t result, std::int64_t count, std::int64_t step) {
          for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t r = result + i * step;
            to[offset + i] =
                from_double<T>(2 / divisor * as_double(gradient[r]) * (as_double(in[offset + i]) - mean[r]));
          }
        });
  });
}

/// results (f64) = log sum exp(x), and the same rounded in y.
void logsumexp(const Tensor& x, Tensor& y, Tensor& results, const ReduceLayout& layout) {
  dispatch_floating("logsumexp", x.dtype(), [&]<typename T>() {
    Tensor peaks = make_totals(layout);
    double *peak = peaks.mutable_data<double>(), *out = results.mutable_data<double>();
    reduce_tiles<Largest>(x.data<T>(), layout, peak, [](T v, std::int64_t) { return as_double(v); });
    // Subtracting an infinite peak would give NaN: all -inf is log(0), one +inf is +inf.
    for (std::int64_t i = 0; i < layout.results(); ++i)
      if (std::isinf(peak[i])) peak[i] = 0;
    reduce_tiles<Total>(x.data<T>(), layout, out,
                        [peak](T v, std::int64_t result) { return std::exp(as_double(v) - peak[result]); });
    for (std::int64_t i = 0; i < layout.results(); ++i) out[i] = peak[i] + std::log(out[i]);
    write_results<T>(results, y);
  });
}

/// dx = dy exp(x - y): the softmax.
void logsumexp_grad(const Tensor& dy, const Tensor& x, const Tensor& results, Tensor& dx,
                    const ReduceLayout& layout) {
  dispatch_floating("logsumexp", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>();
    const double* y = results.data<double>();
    T* to = dx.mutable_data<T>();
    for_each_piece(layout,
                   [=](std::int64_t offset, std::int64_t result, std::int64_t count, std::int64_t step) {
                     for (std::int64_t i = 0; i < count; ++i) {
                       const std::int64_t r = result + i * step;
                       const double p = y[r] == -HUGE_VAL ? 0 : std::exp(as_double(in[offset + i]) - y[r]);
                       to[offset + i] = from_double<T>(as_double(gradient[r]) * p);
                     }
                   });
  });
}

/// norm (f64 scalar) = sqrt(sum of squares), and the same rounded in y.
void l2norm(const Tensor& x, Tensor& y, Tensor& norm, const ReduceLayout& layout) {
  dispatch_floating("l2norm", x.dtype(), [&]<typename T>() {
    double* total = norm.mutable_data<double>();
    reduce_tiles<Total>(x.data<T>(), layout, total,
                        [](T v, std::int64_t) { return as_double(v) * as_double(v); });
    *total = std::sqrt(*total);
    write_results<T>(norm, y);
  });
}

/// dx = dy x / norm, 0 at the origin.
void l2norm_grad(const Tensor& dy, const Tensor& x, const Tensor& norm, Tensor& dx) {
  dispatch_floating("l2norm", dy.dtype(), [&]<typename T>() {
    const double length = norm.data<double>()[0];
    const double factor = length > 0 ? as_double(dy.data<T>()[0]) / length : 0;
    const T* from = x.data<T>();
    T* to = dx.mutable_data<T>();
    parallel_for(x.numel(), kReduceGrain, [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) to[i] = from_double<T>(factor * as_double(from[i]));
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel sum_kernel{"sum", cpu::sum, NM_CUDA(cuda::sum)};
constexpr Kernel sum_grad_kernel{"sum", cpu::sum_grad, NM_CUDA(cuda::sum_grad)};
constexpr Kernel variance_kernel{"variance", cpu::variance, NM_CUDA(cuda::variance)};
constexpr Kernel variance_grad_kernel{"variance", cpu::variance_grad, NM_CUDA(cuda::variance_grad)};
constexpr Kernel logsumexp_kernel{"logsumexp", cpu::logsumexp, NM_CUDA(cuda::logsumexp)};
constexpr Kernel logsumexp_grad_kernel{"logsumexp", cpu::logsumexp_grad, NM_CUDA(cuda::logsumexp_grad)};
constexpr Kernel l2norm_kernel{"l2norm", cpu::l2norm, NM_CUDA(cuda::l2norm)};
constexpr Kernel l2norm_grad_kernel{"l2norm", cpu::l2norm_grad, NM_CUDA(cuda::l2norm_grad)};

Tensor empty_result(const Tensor& x, const ReduceLayout& layout) {
  return Tensor::empty(layout.result, x.dtype(), x.device());
}

Tensor scaled_sum(const char* op, const Tensor& x, const ReduceLayout& layout, double scale) {
  Tensor y = empty_result(x, layout);
  sum_kernel(x, y, layout, scale);
  return record(op, {x}, y, [shape = x.shape(), layout, scale](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    sum_grad_kernel(dy, dx, layout, scale);
    return Grads{dx};
  });
}

}  // namespace

Tensor sum(const Tensor& x, const Axes& axes, bool keepdim) {
  return scaled_sum("sum", x, reduce_layout("sum", x.shape(), axes, keepdim), 1);
}

Tensor mean(const Tensor& x, const Axes& axes, bool keepdim) {
  const ReduceLayout layout = reduce_layout("mean", x.shape(), axes, keepdim);
  NM_CHECK(layout.count() > 0, "[mean] of no elements is undefined, shape ", x.shape());
  return scaled_sum("mean", x, layout, 1.0 / static_cast<double>(layout.count()));
}

Tensor variance(const Tensor& x, const Axes& axes, bool keepdim, bool unbiased) {
  const ReduceLayout layout = reduce_layout("variance", x.shape(), axes, keepdim);
  const std::int64_t divisor = layout.count() - (unbiased ? 1 : 0);
  NM_CHECK(divisor > 0, "[variance] expects at least ", unbiased ? 2 : 1, " elements per result, got ",
           layout.count(), " in shape ", x.shape());
  Tensor y = empty_result(x, layout);
  Tensor means = Tensor::empty(layout.result, Dtype::f64, x.device());
  variance_kernel(x, y, means, layout, static_cast<double>(divisor));
  return record("variance", {x}, y, [x = x.detach(), means, layout, divisor](const Tensor& dy) {
    Tensor dx = empty_like(x);
    variance_grad_kernel(dy, x, means, dx, layout, static_cast<double>(divisor));
    return Grads{dx};
  });
}

Tensor logsumexp(const Tensor& x, const Axes& axes, bool keepdim) {
  const ReduceLayout layout = reduce_layout("logsumexp", x.shape(), axes, keepdim);
  Tensor y = empty_result(x, layout);
  Tensor results = Tensor::empty(layout.result, Dtype::f64, x.device());
  logsumexp_kernel(x, y, results, layout);
  return record("logsumexp", {x}, y, [x = x.detach(), results, layout](const Tensor& dy) {
    Tensor dx = empty_like(x);
    logsumexp_grad_kernel(dy, x, results, dx, layout);
    return Grads{dx};
  });
}

Tensor l2norm(const Tensor& x) {
  const ReduceLayout layout = reduce_layout("l2norm", x.shape(), {}, false);
  Tensor y = empty_result(x, layout);
  Tensor norm = Tensor::empty({}, Dtype::f64, x.device());
  l2norm_kernel(x, y, norm, layout);
  return record("l2norm", {x}, y, [x = x.detach(), norm](const Tensor& dy) {
    Tensor dx = empty_like(x);
    l2norm_grad_kernel(dy, x, norm, dx);
    return Grads{dx};
  });
}

}  // namespace noisymix
