#include "engine/cuda/launch.h"
#include "engine/ops/pool.h"

namespace noisymix::cuda {
namespace {

using Window = PoolAxis::Window;

/// Element i of a map [n, h, w, c].
struct Pixel {
  std::int64_t channel, column, row, image;
  __device__ Pixel(std::int64_t i, std::int64_t c, std::int64_t w, std::int64_t h)
      : channel(i % c), column(i / c % w), row(i / c / w % h), image(i / c / w / h) {}
};

template <typename T>
__global__ void average_kernel(const T* x, T* y, PoolPlan plan, std::int64_t count) {
  using C = compute_t<T>;
  const std::int64_t c = plan.channels;
  NM_FOR_EACH(i, count) {
    const Pixel at(i, c, plan.columns.out, plan.rows.out);
    const Window row = plan.rows.window(at.row), column = plan.columns.window(at.column);
    C total = 0;
    for (std::int64_t h = row.begin; h < row.end; ++h)
      for (std::int64_t w = column.begin; w < column.end; ++w)
        total += value_of(x[((at.image * plan.rows.in + h) * plan.columns.in + w) * c + at.channel]);
    y[i] = T(total * (C(1) / static_cast<C>(plan.divisor(row, column))));
  }
}

template <typename T>
__global__ void average_grad_kernel(const T* dy, T* dx, PoolPlan plan, std::int64_t count) {
  using C = compute_t<T>;
  const std::int64_t c = plan.channels;
  NM_FOR_EACH(i, count) {
    const Pixel at(i, c, plan.columns.in, plan.rows.in);
    std::int64_t r0, r1, q0, q1;
    plan.rows.covering(at.row, r0, r1);
    plan.columns.covering(at.column, q0, q1);
    C total = 0;
    for (std::int64_t r = r0; r <= r1; ++r) {
      const Window row = plan.rows.window(r);
      if (at.row < row.begin || at.row >= row.end) continue;
      for (std::int64_t q = q0; q <= q1; ++q) {
        const Window column = plan.columns.window(q);
        if (at.column < column.begin || at.column >= column.end) continue;
        const C g = value_of(dy[((at.image * plan.rows.out + r) * plan.columns.out + q) * c + at.channel]);
        total += g * (C(1) / static_cast<C>(plan.divisor(row, column)));
      }
    }
    dx[i] = T(total);
  }
}

/// The first of equals wins; NaN beats numbers and stays.
template <typename T>
__global__ void maximum_kernel(const T* x, T* y, std::int32_t* winners, PoolPlan plan, std::int64_t count) {
  const std::int64_t c = plan.channels, width = plan.columns.in;
  NM_FOR_EACH(i, count) {
    const Pixel at(i, c, plan.columns.out, plan.rows.out);
    const Window row = plan.rows.window(at.row), column = plan.columns.window(at.column);
    const T* image = x + at.image * plan.rows.in * width * c + at.channel;
    std::int64_t winner = row.begin * width + column.begin;
    T best = image[winner * c];
    for (std::int64_t h = row.begin; h < row.end; ++h)
      for (std::int64_t w = column.begin; w < column.end; ++w) {
        const T candidate = image[(h * width + w) * c];
        const auto value = value_of(candidate), old = value_of(best);
        if (!(value <= old) && old == old) {
          best = candidate;
          winner = h * width + w;
        }
      }
    y[i] = best;
    winners[i] = static_cast<std::int32_t>(winner);
  }
}

template <typename T>
__global__ void maximum_grad_kernel(const T* dy, const std::int32_t* winners, T* dx, PoolPlan plan,
                                    std::int64_t count) {
  const std::int64_t c = plan.channels;
  NM_FOR_EACH(i, count) {
    const Pixel at(i, c, plan.columns.in, plan.rows.in);
    const auto position = static_cast<std::int32_t>(at.row * plan.columns.in + at.column);
    std::int64_t r0, r1, q0, q1;
    plan.rows.covering(at.row, r0, r1);
    plan.columns.covering(at.column, q0, q1);
    compute_t<T> total = 0;
    for (std::int64_t r = r0; r <= r1; ++r)
      for (std::int64_t q = q0; q <= q1; ++q) {
        const std::int64_t o = ((at.image * plan.rows.out + r) * plan.columns.out + q) * c + at.channel;
        if (winners[o] == position) total += value_of(dy[o]);
      }
    dx[i] = T(total);
  }
}

}  // namespace

void avg_pool2d(const Tensor& x, Tensor& y, const PoolPlan& plan) {
  dispatch_floating("avg_pool2d", x.dtype(), [&]<typename T>() {
    launch(average_kernel<T>, blocks_for(y.numel()), kBlock, x.data<T>(), y.mutable_data<T>(), plan,
           y.numel());
  });
}

void avg_pool2d_grad(const Tensor& dy, Tensor& dx, const PoolPlan& plan) {
  dispatch_floating("avg_pool2d", dy.dtype(), [&]<typename T>() {
    launch(average_grad_kernel<T>, blocks_for(dx.numel()), kBlock, dy.data<T>(), dx.mutable_data<T>(), plan,
           dx.numel());
  });
}

void max_pool2d(const Tensor& x, Tensor& y, Tensor& winners, const PoolPlan& plan) {
  dispatch_floating("max_pool2d", x.dtype(), [&]<typename T>() {
    launch(maximum_kernel<T>, blocks_for(y.numel()), kBlock, x.data<T>(), y.mutable_data<T>(),
           winners.mutable_data<std::int32_t>(), plan, y.numel());
  });
}

void max_pool2d_grad(const Tensor& dy, const Tensor& winners, Tensor& dx, const PoolPlan& plan) {
  dispatch_floating("max_pool2d", dy.dtype(), [&]<typename T>() {
    launch(maximum_grad_kernel<T>, blocks_for(dx.numel()), kBlock, dy.data<T>(), winners.data<std::int32_t>(),
           dx.mutable_data<T>(), plan, dx.numel());
  });
}

}  // namespace noisymix::cuda
