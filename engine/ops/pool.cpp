#include "engine/ops/pool.h"

#include <algorithm>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"
#include "engine/ops/reduce.h"

namespace noisymix {
namespace cpu {
namespace {

using Window = PoolAxis::Window;

/// Rows per chunk, given the elements of one row.
std::int64_t row_grain(std::int64_t elements) {
  return std::max<std::int64_t>(1, (1 << 14) / std::max<std::int64_t>(elements, 1));
}

/// Calls body(output pixel, first input pixel of its image, row window, column window) for every window.
template <typename Body>
void for_each_window(const PoolPlan& plan, std::int64_t images, Body&& body) {
  const std::int64_t width = plan.columns.out;
  const auto rows = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      const Window row = plan.rows.window(r % plan.rows.out);
      const std::int64_t image = r / plan.rows.out * plan.rows.in * plan.columns.in;
      for (std::int64_t o = 0; o < width; ++o) body(r * width + o, image, row, plan.columns.window(o));
    }
  };
  parallel_for(images * plan.rows.out, row_grain(width * plan.channels), rows);
}

/// dx = for every input pixel the sum over the windows that cover it; add(output pixel, row window, column
/// window, h, w, total) adds the share of one window to the channels `total`. Each input row is summed by one
/// thread, so that overlapping windows need no locks and bf16 rounds only once.
template <typename T, typename Add>
void gather_gradient(const PoolPlan& plan, Tensor& dx, Add&& add) {
  using C = compute_t<T>;
  const std::int64_t c = plan.channels, size = plan.columns.in * c, out_rows = plan.rows.out;
  T* to = dx.mutable_data<T>();
  const auto rows = [&, to](std::int64_t begin, std::int64_t end) {
    Tensor scratch = Tensor::empty({size}, dtype_of<C>());
    C* total = scratch.mutable_data<C>();
    for (std::int64_t r = begin; r < end; ++r) {
      const std::int64_t h = r % plan.rows.in, first = r / plan.rows.in * out_rows;
      std::fill_n(total, size, C(0));
      for (std::int64_t i = 0; i < out_rows; ++i) {
        const Window row = plan.rows.window(i);
        if (h < row.begin || h >= row.end) continue;
        for (std::int64_t o = 0; o < plan.columns.out; ++o) {
          const Window column = plan.columns.window(o);
          for (std::int64_t w = column.begin; w < column.end; ++w)
            add((first + i) * plan.columns.out + o, row, column, h, w, total + w * c);
        }
      }
      for (std::int64_t k = 0; k < size; ++k) to[r * size + k] = T(total[k]);
    }
  };
  parallel_for(dx.dim(0) * plan.rows.in, row_grain(size), rows);
}

/// y [n, ho, wo, c] = sum over each window / divisor.
void avg_pool2d(const Tensor& x, Tensor& y, const PoolPlan& plan) {
  constexpr std::int64_t kBlock = 64;  // channels summed at a time, in registers and the nearest cache
  dispatch_floating("avg_pool2d", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    const std::int64_t c = plan.channels, width = plan.columns.in;
    for_each_window(plan, x.dim(0), [=](std::int64_t pixel, std::int64_t image, Window row, Window column) {
      const C scale = C(1) / static_cast<C>(plan.divisor(row, column));
      for (std::int64_t first = 0; first < c; first += kBlock) {
        const std::int64_t count = std::min(kBlock, c - first);
        C total[kBlock] = {};
        for (std::int64_t h = row.begin; h < row.end; ++h)
          for (std::int64_t w = column.begin; w < column.end; ++w) {
            const T* from = in + (image + h * width + w) * c + first;
            for (std::int64_t k = 0; k < count; ++k) total[k] += static_cast<C>(from[k]);
          }
        T* to = out + pixel * c + first;
        for (std::int64_t k = 0; k < count; ++k) to[k] = T(total[k] * scale);
      }
    });
  });
}

/// Every pixel of a window receives dy / divisor.
void avg_pool2d_grad(const Tensor& dy, Tensor& dx, const PoolPlan& plan) {
  dispatch_floating("avg_pool2d", dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* gradient = dy.data<T>();
    const std::int64_t c = plan.channels;
    gather_gradient<T>(plan, dx, [=](std::int64_t pixel, Window row, Window column, auto, auto, C* total) {
      const C scale = C(1) / static_cast<C>(plan.divisor(row, column));
      const T* from = gradient + pixel * c;
      for (std::int64_t k = 0; k < c; ++k) total[k] += static_cast<C>(from[k]) * scale;
    });
  });
}

/// best = larger of best and x, with the position where it changed. NaN beats numbers and stays. Bitwise
/// operators let the loop become vector selects.
template <typename T>
void take_larger(const T* __restrict x, std::int32_t position, std::int64_t count, T* __restrict best,
                 std::int32_t* __restrict winner) {
  using C = compute_t<T>;
  for (std::int64_t k = 0; k < count; ++k) {
    const C value = static_cast<C>(x[k]), old = static_cast<C>(best[k]);
    const bool wins = (!(value <= old)) & (old == old);
    best[k] = wins ? x[k] : best[k];
    winner[k] = wins ? position : winner[k];
  }
}

/// y = largest element of each window, winners (i32, shape of y) = its position h * width + w. The first of
/// equals wins; NaN beats everything.
void max_pool2d(const Tensor& x, Tensor& y, Tensor& winners, const PoolPlan& plan) {
  dispatch_floating("max_pool2d", x.dtype(), [&]<typename T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    std::int32_t* winner = winners.mutable_data<std::int32_t>();
    const std::int64_t c = plan.channels, width = plan.columns.in;
    for_each_window(plan, x.dim(0), [=](std::int64_t pixel, std::int64_t image, Window row, Window column) {
      const std::int64_t first = row.begin * width + column.begin;
      std::copy_n(in + (image + first) * c, c, out + pixel * c);
      std::fill_n(winner + pixel * c, c, static_cast<std::int32_t>(first));
      for (std::int64_t h = row.begin; h < row.end; ++h)
        for (std::int64_t w = column.begin; w < column.end; ++w) {
          const std::int64_t position = h * width + w;
          take_larger(in + (image + position) * c, static_cast<std::int32_t>(position), c, out + pixel * c,
                      winner + pixel * c);
        }
    });
  });
}

/// The winner of each window receives dy.
void max_pool2d_grad(const Tensor& dy, const Tensor& winners, Tensor& dx, const PoolPlan& plan) {
  dispatch_floating("max_pool2d", dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* gradient = dy.data<T>();
    const std::int32_t* winner = winners.data<std::int32_t>();
    const std::int64_t c = plan.channels, width = plan.columns.in;
    gather_gradient<T>(plan, dx,
                       [=](std::int64_t pixel, Window, Window, auto h, auto w, C* __restrict total) {
                         const auto position = static_cast<std::int32_t>(h * width + w);
                         const T* from = gradient + pixel * c;
                         const std::int32_t* at = winner + pixel * c;
                         for (std::int64_t k = 0; k < c; ++k) {
                           const C g = static_cast<C>(from[k]);
                           total[k] += at[k] == position ? g : C(0);
                         }
                       });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel avg_kernel{"avg_pool2d", cpu::avg_pool2d, NM_CUDA(cuda::avg_pool2d)};
constexpr Kernel avg_grad_kernel{"avg_pool2d", cpu::avg_pool2d_grad, NM_CUDA(cuda::avg_pool2d_grad)};
constexpr Kernel max_kernel{"max_pool2d", cpu::max_pool2d, NM_CUDA(cuda::max_pool2d)};
constexpr Kernel max_grad_kernel{"max_pool2d", cpu::max_pool2d_grad, NM_CUDA(cuda::max_pool2d_grad)};

PoolAxis strided_axis(const char* op, std::int64_t in, std::int64_t kernel, std::int64_t stride,
                      std::int64_t padding, bool ceil_mode) {
  NM_CHECK(kernel > 0 && stride > 0, "[", op, "] expects positive kernel and stride, got ", kernel, " and ",
           stride);
  NM_CHECK(padding >= 0 && padding <= kernel / 2, "[", op,
           "] expects padding between 0 and half the kernel (", kernel, "), got ", padding);
  NM_CHECK(in > 0 && in + 2 * padding >= kernel, "[", op, "] window of ", kernel,
           " does not fit an input of ", in, " with padding ", padding);
  const std::int64_t slack = in + 2 * padding - kernel;
  std::int64_t out = (slack + (ceil_mode ? stride - 1 : 0)) / stride + 1;
  // A last window that would start in the right padding is dropped.
  if (ceil_mode && (out - 1) * stride >= in + padding) --out;
  return {in, out, kernel, stride, padding};
}

PoolPlan strided_plan(const char* op, const Tensor& x, const Pool2dOptions& options) {
  NM_CHECK(x.rank() == 4, "[", op, "] expects x [n, h, w, c], got shape ", x.shape());
  return {
      strided_axis(op, x.dim(1), options.kernel_h, options.stride_h, options.padding_h, options.ceil_mode),
      strided_axis(op, x.dim(2), options.kernel_w, options.stride_w, options.padding_w, options.ceil_mode),
      x.dim(3), options.count_include_pad};
}

PoolPlan adaptive_plan(const char* op, const Tensor& x, std::int64_t out_h, std::int64_t out_w) {
  NM_CHECK(x.rank() == 4 && x.dim(1) > 0 && x.dim(2) > 0, "[", op,
           "] expects x [n, h, w, c] with h, w > 0, got shape ", x.shape());
  NM_CHECK(out_h > 0 && out_w > 0, "[", op, "] expects a positive output size, got ", out_h, " x ", out_w);
  return {{x.dim(1), out_h}, {x.dim(2), out_w}, x.dim(3), true};
}

Tensor empty_output(const Tensor& x, const PoolPlan& plan, Dtype dtype) {
  return Tensor::empty({x.dim(0), plan.rows.out, plan.columns.out, plan.channels}, dtype, x.device());
}

Tensor average(const char* op, const Tensor& x, const PoolPlan& plan) {
  Tensor y = empty_output(x, plan, x.dtype());
  avg_kernel(x, y, plan);
  return record(op, {x}, y, [shape = x.shape(), plan](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    avg_grad_kernel(dy, dx, plan);
    return Grads{dx};
  });
}

Tensor maximum_of_windows(const char* op, const Tensor& x, const PoolPlan& plan) {
  NM_CHECK(plan.rows.in * plan.columns.in <= std::int64_t{1} << 31, "[", op,
           "] feature map too large: ", x.shape());
  Tensor y = empty_output(x, plan, x.dtype()), winners = empty_output(x, plan, Dtype::i32);
  max_kernel(x, y, winners, plan);
  return record(op, {x}, y, [shape = x.shape(), winners, plan](const Tensor& dy) {
    Tensor dx = Tensor::empty(shape, dy.dtype(), dy.device());
    max_grad_kernel(dy, winners, dx, plan);
    return Grads{dx};
  });
}

}  // namespace

Tensor avg_pool2d(const Tensor& x, const Pool2dOptions& options) {
  return average("avg_pool2d", x, strided_plan("avg_pool2d", x, options));
}

Tensor max_pool2d(const Tensor& x, const Pool2dOptions& options) {
  return maximum_of_windows("max_pool2d", x, strided_plan("max_pool2d", x, options));
}

Tensor adaptive_avg_pool2d(const Tensor& x, std::int64_t out_h, std::int64_t out_w) {
  return average("adaptive_avg_pool2d", x, adaptive_plan("adaptive_avg_pool2d", x, out_h, out_w));
}

Tensor adaptive_max_pool2d(const Tensor& x, std::int64_t out_h, std::int64_t out_w) {
  return maximum_of_windows("adaptive_max_pool2d", x, adaptive_plan("adaptive_max_pool2d", x, out_h, out_w));
}

Tensor global_avg_pool2d(const Tensor& x) {
  NM_CHECK(x.rank() == 4 && x.dim(1) > 0 && x.dim(2) > 0,
           "[global_avg_pool2d] expects x [n, h, w, c] with h, w > 0, got shape ", x.shape());
  return mean(x, {1, 2});
}

}  // namespace noisymix
