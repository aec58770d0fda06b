#include "engine/ops/layer_norm.h"

#include <algorithm>

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

/// Element number i of a set, and the channel it belongs to.
struct Place {
  std::int64_t element, channel;
};
__device__ inline Place place_in(const NormPlan& plan, std::int64_t set, std::int64_t i) {
  return {plan.start(set) + i / plan.width * plan.channels() + i % plan.width,
          set % plan.groups * plan.width + i % plan.width};
}

/// One block per set.
template <typename T>
__global__ void forward_kernel(const T* x, const T* weight, const T* bias, T* y, double* statistics, NormPlan plan) {
  using C = compute_t<T>;
  const std::int64_t set = blockIdx.x, count = plan.count();
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x)
    sum += static_cast<double>(value_of(x[place_in(plan, set, i).element]));
  const double mean = block_sum(sum) / static_cast<double>(count);
  sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const double gap = static_cast<double>(value_of(x[place_in(plan, set, i).element])) - mean;
    sum += gap * gap;
  }
  const double rstd = 1 / sqrt(block_sum(sum) / static_cast<double>(count) + plan.epsilon);
  if (threadIdx.x == 0) {
    statistics[2 * set] = mean;
    statistics[2 * set + 1] = rstd;
  }
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const Place p = place_in(plan, set, i);
    const C normal = static_cast<C>((static_cast<double>(value_of(x[p.element])) - mean) * rstd);
    y[p.element] = T(normal * value_of(weight[p.channel]) + value_of(bias[p.channel]));
  }
}

/// dx = rstd (g - mean(g) - normal mean(g normal)) with g = dy weight.
template <typename T>
__global__ void grad_kernel(const T* dy, const T* x, const T* weight, const double* statistics, T* dx, NormPlan plan) {
  const std::int64_t set = blockIdx.x, count = plan.count();
  const double mean = statistics[2 * set], rstd = statistics[2 * set + 1];
  double sum_g = 0, sum_gn = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const Place p = place_in(plan, set, i);
    const double g = static_cast<double>(value_of(dy[p.element])) * static_cast<double>(value_of(weight[p.channel]));
    sum_g += g;
    sum_gn += g * ((static_cast<double>(value_of(x[p.element])) - mean) * rstd);
  }
  const double mean_g = block_sum(sum_g) / static_cast<double>(count);
  const double mean_gn = block_sum(sum_gn) / static_cast<double>(count);
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) {
    const Place p = place_in(plan, set, i);
    const double g = static_cast<double>(value_of(dy[p.element])) * static_cast<double>(value_of(weight[p.channel]));
    const double normal = (static_cast<double>(value_of(x[p.element])) - mean) * rstd;
    dx[p.element] = convert_value<T>(rstd * (g - mean_g - normal * mean_gn));
  }
}

/// partial[block, 0 / 1, channel] = sums of dy normal and dy over the block's rows.
template <typename T>
__global__ void parameter_partial_kernel(const T* dy, const T* x, const double* statistics, double* partial, NormPlan plan,
                                         std::int64_t rows, std::int64_t per_block) {
  const std::int64_t channels = plan.channels(), begin = static_cast<std::int64_t>(blockIdx.x) * per_block;
  const std::int64_t end = begin + per_block < rows ? begin + per_block : rows;
  double* out = partial + static_cast<std::int64_t>(blockIdx.x) * 2 * channels;
  for (std::int64_t c = static_cast<std::int64_t>(blockIdx.y) * blockDim.x + threadIdx.x; c < channels;
       c += static_cast<std::int64_t>(gridDim.y) * blockDim.x) {
    double sum_gn = 0, sum_g = 0;
    for (std::int64_t r = begin; r < end; ++r) {
      const double* set = statistics + 2 * (r / plan.positions * plan.groups + c / plan.width);
      const double g = static_cast<double>(value_of(dy[r * channels + c]));
      sum_gn += g * ((static_cast<double>(value_of(x[r * channels + c])) - set[0]) * set[1]);
      sum_g += g;
    }
    out[c] = sum_gn;
    out[channels + c] = sum_g;
  }
}

template <typename T>
__global__ void parameter_join_kernel(const double* partial, T* dweight, T* dbias, std::int64_t blocks,
                                      std::int64_t channels) {
  NM_FOR_EACH(c, channels) {
    double total_gn = 0, total_g = 0;
    for (std::int64_t b = 0; b < blocks; ++b) {
      total_gn += partial[2 * b * channels + c];
      total_g += partial[(2 * b + 1) * channels + c];
    }
    dweight[c] = convert_value<T>(total_gn);
    dbias[c] = convert_value<T>(total_g);
  }
}

}  // namespace

void layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y, Tensor& statistics,
                const NormPlan& plan) {
  dispatch_floating("layer_norm", x.dtype(), [&]<typename T>() {
    launch(forward_kernel<T>, static_cast<unsigned>(plan.sets()), kBlock, x.data<T>(), weight.data<T>(), bias.data<T>(),
           y.mutable_data<T>(), statistics.mutable_data<double>(), plan);
  });
}

void layer_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& statistics, Tensor& dx,
                     const NormPlan& plan) {
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    launch(grad_kernel<T>, static_cast<unsigned>(plan.sets()), kBlock, dy.data<T>(), x.data<T>(), weight.data<T>(),
           statistics.data<double>(), dx.mutable_data<T>(), plan);
  });
}

void layer_norm_parameter_grad(const Tensor& dy, const Tensor& x, const Tensor& statistics, Tensor& dweight,
                               Tensor& dbias, const NormPlan& plan) {
  const std::int64_t channels = plan.channels(), rows = plan.samples * plan.positions;
  const std::int64_t per_block = std::max<std::int64_t>(32, (rows + 255) / 256), blocks = (rows + per_block - 1) / per_block;
  Tensor partial = Tensor::empty({std::max<std::int64_t>(blocks, 1), 2, channels}, Dtype::f64, dy.device());
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(std::min<std::int64_t>((channels + kBlock - 1) / kBlock, 64)));
    launch(parameter_partial_kernel<T>, grid, dim3(kBlock), dy.data<T>(), x.data<T>(), statistics.data<double>(),
           partial.mutable_data<double>(), plan, rows, per_block);
    launch(parameter_join_kernel<T>, blocks_for(channels), kBlock, static_cast<const double*>(partial.data<double>()),
           dweight.mutable_data<T>(), dbias.mutable_data<T>(), blocks, channels);
  });
}

}  // namespace noisymix::cuda
