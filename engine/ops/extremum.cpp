// Largest and smallest elements and their positions; declared in reduce.h.
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/kernel.h"
#include "engine/ops/reduce.h"
#include "engine/ops/reduce_layout.h"

namespace noisymix {
namespace cpu {
namespace {

/// y = largest (or smallest) element of every result; NaN if there is one.
template <typename Join>
void extremum(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  dispatch_floating("extremum", x.dtype(), [&]<typename T>() {
    Tensor totals = Tensor::empty(layout.result, Dtype::f64);
    double* total = totals.mutable_data<double>();
    reduce_tiles<Join>(x.data<T>(), layout, total, [](T v, std::int64_t) { return as_double(v); });
    T* out = y.mutable_data<T>();
    for (std::int64_t i = 0; i < y.numel(); ++i) out[i] = from_double<T>(total[i]);
  });
}

/// Position of the first element of result `o, c` that `chosen` accepts, counted over its reduced elements,
/// or -1.
template <typename T, typename Chosen>
std::int64_t find_first(const T* x, const ReduceLayout& layout, std::int64_t o, std::int64_t c,
                        Chosen chosen) {
  for (std::int64_t row = 0; row < layout.rows; ++row) {
    const T* from = x + layout.offset(o, row) + c;
    for (std::int64_t i = 0; i < layout.run; ++i)
      if (chosen(as_double(from[i]))) return row * layout.run + i;
  }
  return -1;
}

/// The whole gradient goes to the first element equal to y.
void extremum_grad_first(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                         const ReduceLayout& layout) {
  dispatch_floating("extremum", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>(), *best = y.data<T>();
    T* to = dx.mutable_data<T>();
    std::fill_n(to, dx.numel(), T(0.0f));
    const std::int64_t grain = std::max<std::int64_t>(1, kReduceGrain / layout.count());
    parallel_for(layout.results(), grain, [&, gradient, in, best, to](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        const std::int64_t o = r / layout.columns, c = r % layout.columns;
        const double wanted = as_double(best[r]);
        const std::int64_t found = find_first(in, layout, o, c, [wanted](double v) { return v == wanted; });
        if (found >= 0) to[layout.offset(o, found / layout.run) + c + found % layout.run] = gradient[r];
      }
    });
  });
}

/// The gradient is shared evenly by all elements equal to y.
void extremum_grad_even(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                        const ReduceLayout& layout) {
  dispatch_floating("extremum", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>(), *best = y.data<T>();
    T* to = dx.mutable_data<T>();
    Tensor counts = Tensor::empty(layout.result, Dtype::f64);
    double* count = counts.mutable_data<double>();
    reduce_tiles<Total>(in, layout, count, [best](T v, std::int64_t result) {
      return as_double(v) == as_double(best[result]) ? 1.0 : 0.0;
    });
    for_each_piece(layout,
                   [=](std::int64_t offset, std::int64_t result, std::int64_t length, std::int64_t step) {
                     for (std::int64_t i = 0; i < length; ++i) {
                       const std::int64_t r = result + i * step;
                       const bool chosen = as_double(in[offset + i]) == as_double(best[r]);
                       to[offset + i] = from_double<T>(chosen ? as_double(gradient[r]) / count[r] : 0);
                     }
                   });
  });
}

/// y (i64) = position of the first largest element of every result; of the first NaN if there is one.
void argmax(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  dispatch_floating("argmax", x.dtype(), [&]<typename T>() {
    const T* in = x.data<T>();
    std::int64_t* out = y.mutable_data<std::int64_t>();
    const std::int64_t grain = std::max<std::int64_t>(1, kReduceGrain / layout.count());
    parallel_for(layout.results(), grain, [&, in, out](std::int64_t begin, std::int64_t end) {
      for (std::int64_t r = begin; r < end; ++r) {
        std::int64_t position = 0, next = 0;
        double best = -HUGE_VAL;
        find_first(in, layout, r / layout.columns, r % layout.columns, [&](double v) {
          if (v > best || std::isnan(v)) {
            best = v;
            position = next;
          }
          ++next;
          return std::isnan(v);  // nothing beats NaN: stop
        });
        out[r] = position;
      }
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel max_kernel{"max", cpu::extremum<cpu::Largest>, NM_CUDA(cuda::maxima)};
constexpr Kernel min_kernel{"min", cpu::extremum<cpu::Smallest>, NM_CUDA(cuda::minima)};
constexpr Kernel first_grad_kernel{"max", cpu::extremum_grad_first, NM_CUDA(cuda::extremum_grad_first)};
constexpr Kernel even_grad_kernel{"max", cpu::extremum_grad_even, NM_CUDA(cuda::extremum_grad_even)};
constexpr Kernel argmax_kernel{"argmax", cpu::argmax, NM_CUDA(cuda::argmax)};

template <typename ExtremumKernel>
Tensor extremum(const char* op, const ExtremumKernel& kernel, const Tensor& x, const Axes& axes,
                bool keepdim) {
  const ReduceLayout layout = reduce_layout(op, x.shape(), axes, keepdim);
  NM_CHECK(layout.count() > 0, "[", op, "] of no elements is undefined, shape ", x.shape());
  Tensor y = Tensor::empty(layout.result, x.dtype(), x.device());
  kernel(x, y, layout);
  const bool single_axis = axes.size() == 1;
  return record(op, {x}, y, [x = x.detach(), y = y.detach(), layout, single_axis](const Tensor& dy) {
    Tensor dx = empty_like(x);
    (single_axis ? first_grad_kernel : even_grad_kernel)(dy, x, y, dx, layout);
    return Grads{dx};
  });
}

}  // namespace

Tensor max(const Tensor& x, const Axes& axes, bool keepdim) {
  return extremum("max", max_kernel, x, axes, keepdim);
}
Tensor min(const Tensor& x, const Axes& axes, bool keepdim) {
  return extremum("min", min_kernel, x, axes, keepdim);
}

Tensor argmax(const Tensor& x, int axis, bool keepdim) {
  const ReduceLayout layout = reduce_layout("argmax", x.shape(), {axis}, keepdim);
  NM_CHECK(layout.count() > 0, "[argmax] of no elements is undefined, shape ", x.shape());
  Tensor y = Tensor::empty(layout.result, Dtype::i64, x.device());
  argmax_kernel(x, y, layout);
  return y;
}

}  // namespace noisymix
