#include "engine/ops/cross_entropy.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

/// The weight of class j in row i of smoothed integer labels.
struct LabelTarget {
  const std::int64_t* labels;
  double smoothing;
  std::int64_t classes;
  __device__ double operator()(std::int64_t i, std::int64_t j) const {
    const std::int64_t label = labels[i];
    if (label < 0 || label >= classes) return NAN;
    return (label == j ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
  }
};

template <typename T>
struct SoftTarget {
  const T* targets;
  std::int64_t classes;
  __device__ double operator()(std::int64_t i, std::int64_t j) const {
    return static_cast<double>(value_of(targets[i * classes + j]));
  }
};

/// A warp per row: losses[i] = -sum_j t_j log p_j, log_sums[i] = log sum exp.
template <typename T, typename Target>
__global__ void losses_kernel(const T* x, double* losses, double* log_sums, std::int64_t rows,
                              std::int64_t classes, Target target) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (i >= rows) return;
  const T* row = x + i * classes;
  double peak = -HUGE_VAL;
  for (std::int64_t j = lane; j < classes; j += kWarp)
    peak = fmax(peak, static_cast<double>(value_of(row[j])));
  peak = warp_max(peak);
  double total = 0;
  for (std::int64_t j = lane; j < classes; j += kWarp)
    total += exp(static_cast<double>(value_of(row[j])) - peak);
  const double log_sum = peak + log(warp_sum(total));
  double loss = 0;  // a class of weight 0 adds nothing, even where its logit is -inf
  for (std::int64_t j = lane; j < classes; j += kWarp) {
    const double t = target(i, j);
    if (t != 0) loss += t * (log_sum - static_cast<double>(value_of(row[j])));
  }
  loss = warp_sum(loss);
  if (lane != 0) return;
  losses[i] = loss;
  log_sums[i] = log_sum;
}

/// y = scale * sum of the losses, by one block in a fixed order.
template <typename T>
__global__ void total_kernel(const double* losses, T* y, std::int64_t rows, double scale) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < rows; i += blockDim.x) sum += losses[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) y[0] = convert_value<T>(scale * sum);
}

template <typename T>
__global__ void each_kernel(const double* losses, T* y, std::int64_t rows) {
  NM_FOR_EACH(i, rows) y[i] = convert_value<T>(losses[i]);
}

/// A warp per row: dx = g ((sum t) p - t).
template <typename T, typename Target>
__global__ void gradients_kernel(const T* dy, std::int64_t dy_step, const T* x, const double* log_sums, T* dx,
                                 std::int64_t rows, std::int64_t classes, double scale, Target target) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (i >= rows) return;
  const double g = scale * static_cast<double>(value_of(dy[i * dy_step]));
  double weight = 0;
  for (std::int64_t j = lane; j < classes; j += kWarp) weight += target(i, j);
  weight = warp_sum(weight);
  for (std::int64_t j = lane; j < classes; j += kWarp) {
    const double p = exp(static_cast<double>(value_of(x[i * classes + j])) - log_sums[i]);
    dx[i * classes + j] = convert_value<T>(g * (weight * p - target(i, j)));
  }
}

unsigned warps(std::int64_t rows) {
  return static_cast<unsigned>((rows + kBlock / kWarp - 1) / (kBlock / kWarp));
}

template <typename T, typename Target>
void losses_of(const Tensor& logits, Tensor& y, Tensor& log_sums, double scale, Target target) {
  const std::int64_t rows = logits.dim(0);
  Tensor losses = Tensor::empty({rows}, Dtype::f64, logits.device());
  double* loss = losses.mutable_data<double>();
  launch(losses_kernel<T, Target>, warps(rows), kBlock, logits.data<T>(), loss,
         log_sums.mutable_data<double>(), rows, logits.dim(1), target);
  if (y.rank() == 1)
    launch(each_kernel<T>, blocks_for(rows), kBlock, static_cast<const double*>(loss), y.mutable_data<T>(),
           rows);
  else
    launch(total_kernel<T>, 1u, kBlock, static_cast<const double*>(loss), y.mutable_data<T>(), rows, scale);
}

template <typename T, typename Target>
void gradients_of(const Tensor& dy, const Tensor& logits, const Tensor& log_sums, Tensor& dx, double scale,
                  Target target) {
  launch(gradients_kernel<T, Target>, warps(logits.dim(0)), kBlock, dy.data<T>(),
         std::int64_t{dy.rank() == 0 ? 0 : 1}, logits.data<T>(), log_sums.data<double>(),
         dx.mutable_data<T>(), logits.dim(0), logits.dim(1), scale, target);
}

}  // namespace

void cross_entropy(const Tensor& logits, const Tensor& labels, Tensor& y, Tensor& log_sums, double smoothing,
                   double scale) {
  dispatch_floating("cross_entropy", logits.dtype(), [&]<typename T>() {
    losses_of<T>(logits, y, log_sums, scale,
                 LabelTarget{labels.data<std::int64_t>(), smoothing, logits.dim(1)});
  });
}

void cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& labels, const Tensor& log_sums,
                        Tensor& dx, double smoothing, double scale) {
  dispatch_floating("cross_entropy", logits.dtype(), [&]<typename T>() {
    gradients_of<T>(dy, logits, log_sums, dx, scale,
                    LabelTarget{labels.data<std::int64_t>(), smoothing, logits.dim(1)});
  });
}

void cross_entropy_soft(const Tensor& logits, const Tensor& targets, Tensor& y, Tensor& log_sums,
                        double scale) {
  dispatch_floating("cross_entropy_soft", logits.dtype(), [&]<typename T>() {
    losses_of<T>(logits, y, log_sums, scale, SoftTarget<T>{targets.data<T>(), logits.dim(1)});
  });
}

void cross_entropy_soft_grad(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                             const Tensor& log_sums, Tensor& dx, double scale) {
  dispatch_floating("cross_entropy_soft", logits.dtype(), [&]<typename T>() {
    gradients_of<T>(dy, logits, log_sums, dx, scale, SoftTarget<T>{targets.data<T>(), logits.dim(1)});
  });
}

}  // namespace noisymix::cuda
