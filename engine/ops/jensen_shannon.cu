#include "engine/ops/jensen_shannon.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

/// One class of one sample over its views, whose log-probabilities are `stride` elements apart.
struct Mixture {
  double mean = 0;   ///< average probability
  double log_m = 0;  ///< log of the average, kept at or above the floor
  bool clamped = false;

  __device__ Mixture(const double* log_p, std::int64_t views, std::int64_t stride, double floor) {
    for (std::int64_t v = 0; v < views; ++v) mean += exp(log_p[v * stride]);
    mean /= static_cast<double>(views);
    clamped = mean < floor;
    log_m = log(fmin(fmax(mean, floor), 1.0));
  }
};

/// A warp per row: log p = x - log sum exp(x).
template <typename T>
__global__ void log_softmax_kernel(const T* x, double* log_p, std::int64_t rows, std::int64_t classes) {
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
  const double shift = peak + log(warp_sum(total));
  for (std::int64_t j = lane; j < classes; j += kWarp)
    log_p[i * classes + j] = static_cast<double>(value_of(row[j])) - shift;
}

/// A warp per sample: the sum over views and classes of p (log p - log m).
__global__ void divergence_kernel(const double* log_p, double* divergences, std::int64_t samples,
                                  std::int64_t classes, std::int64_t views, double floor) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (i >= samples) return;
  const std::int64_t stride = samples * classes;
  double sum = 0;
  for (std::int64_t j = lane; j < classes; j += kWarp) {
    const double* own = log_p + i * classes + j;
    const Mixture mixture(own, views, stride, floor);
    for (std::int64_t v = 0; v < views; ++v) {
      const double l = own[v * stride], p = exp(l);
      if (p > 0) sum += p * (l - mixture.log_m);  // 0 log 0 = 0
    }
  }
  sum = warp_sum(sum);
  if (lane == 0) divergences[i] = sum;
}

template <typename T>
__global__ void total_kernel(const double* divergences, T* y, std::int64_t samples, double divisor) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < samples; i += blockDim.x) sum += divergences[i];
  sum = block_sum(sum);
  if (threadIdx.x == 0) y[0] = convert_value<T>(sum / divisor);
}

/// A warp per row: dx = p (d - sum p d), d as in the CPU's kernel.
template <typename T>
__global__ void gradient_kernel(const T* dy, const double* log_p, T* dx, std::int64_t samples,
                                std::int64_t classes, std::int64_t views, double floor) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
  if (row >= samples * views) return;
  const std::int64_t stride = samples * classes, first = row % samples * classes;
  const double* own = log_p + row * classes;
  const double scale = static_cast<double>(value_of(dy[0])) / static_cast<double>(views * samples);
  const auto derivative = [&](std::int64_t j) {
    const Mixture mixture(log_p + first + j, views, stride, floor);
    return exp(own[j]) > 0 ? own[j] - mixture.log_m + (mixture.clamped ? 1 : 0) : 0.0;
  };
  double dot = 0;
  for (std::int64_t j = lane; j < classes; j += kWarp) dot += exp(own[j]) * derivative(j);
  dot = warp_sum(dot);
  for (std::int64_t j = lane; j < classes; j += kWarp)
    dx[row * classes + j] = convert_value<T>(scale * exp(own[j]) * (derivative(j) - dot));
}

unsigned warps(std::int64_t rows) {
  return static_cast<unsigned>((rows + kBlock / kWarp - 1) / (kBlock / kWarp));
}

}  // namespace

void jensen_shannon(const Tensor& logits, Tensor& log_probabilities, Tensor& y, std::int64_t views,
                    double floor) {
  const std::int64_t rows = logits.dim(0), classes = logits.dim(1), samples = rows / views;
  Tensor divergences = Tensor::empty({samples}, Dtype::f64, logits.device());
  double *log_p = log_probabilities.mutable_data<double>(), *divergence = divergences.mutable_data<double>();
  dispatch_floating("jensen_shannon", logits.dtype(), [&]<typename T>() {
    launch(log_softmax_kernel<T>, warps(rows), kBlock, logits.data<T>(), log_p, rows, classes);
    launch(divergence_kernel, warps(samples), kBlock, static_cast<const double*>(log_p), divergence, samples,
           classes, views, floor);
    launch(total_kernel<T>, 1u, kBlock, static_cast<const double*>(divergence), y.mutable_data<T>(), samples,
           static_cast<double>(views * samples));
  });
}

void jensen_shannon_grad(const Tensor& dy, const Tensor& log_probabilities, Tensor& dx, std::int64_t views,
                         double floor) {
  const std::int64_t rows = dx.dim(0);
  dispatch_floating("jensen_shannon", dy.dtype(), [&]<typename T>() {
    launch(gradient_kernel<T>, warps(rows), kBlock, dy.data<T>(), log_probabilities.data<double>(),
           dx.mutable_data<T>(), rows / views, dx.dim(1), views, floor);
  });
}

}  // namespace noisymix::cuda
