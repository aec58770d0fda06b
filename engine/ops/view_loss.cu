// The kernels of view_loss.h on the GPU: a warp per row, everything in double as on the CPU.
#include "engine/ops/view_loss.h"

#include "engine/cuda/launch.h"

namespace noisymix::cuda {
namespace {

/// Plain copy of the options, and where lambda and the partners are.
struct Settings {
  std::int64_t views, counted, samples, classes;
  double smoothing, weight, floor;
  const double* lambda;
  const std::int64_t* permutation;  // null when no labels are mixed

  __device__ std::int64_t partner(std::int64_t i) const {
    return permutation != nullptr ? permutation[i] : i;
  }
};

__device__ inline std::int64_t row_of_warp() {
  return static_cast<std::int64_t>(blockIdx.x) * (blockDim.x / kWarp) + threadIdx.x / kWarp;
}

/// log sum exp of every row.
template <typename T>
__global__ void log_sums_kernel(const T* x, double* log_sums, std::int64_t rows, std::int64_t classes) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t i = row_of_warp();
  if (i >= rows) return;
  const T* row = x + i * classes;
  double peak = -HUGE_VAL;
  for (std::int64_t j = lane; j < classes; j += kWarp)
    peak = fmax(peak, static_cast<double>(value_of(row[j])));
  peak = warp_max(peak);
  double total = 0;
  for (std::int64_t j = lane; j < classes; j += kWarp)
    total += exp(static_cast<double>(value_of(row[j])) - peak);
  total = warp_sum(total);
  if (lane == 0) log_sums[i] = peak + log(total);
}

/// log p of class j of one row.
template <typename T>
__device__ inline double log_p(const T* x, const double* log_sums, const Settings& s, std::int64_t row,
                               std::int64_t j) {
  return static_cast<double>(value_of(x[row * s.classes + j])) - log_sums[row];
}

/// One class of one example over its views.
struct Mixture {
  double log_m = 0;
  bool clamped = false;
  template <typename T>
  __device__ Mixture(const T* x, const double* log_sums, const Settings& s, std::int64_t i, std::int64_t j) {
    double mean = 0;
    for (std::int64_t v = 0; v < s.views; ++v) mean += exp(log_p(x, log_sums, s, v * s.samples + i, j));
    mean /= static_cast<double>(s.views);
    clamped = mean < s.floor;
    log_m = log(clamped ? s.floor : fmin(mean, 1.0));
  }
};

/// -sum_j t_j log p_j for a smoothed label; every lane gets it.
template <typename T>
__device__ double label_loss(const T* x, const double* log_sums, const Settings& s, std::int64_t row,
                             std::int64_t label) {
  if (label < 0 || label >= s.classes) return NAN;
  if (s.smoothing == 0) return -log_p(x, log_sums, s, row, label);
  const double uniform = s.smoothing / static_cast<double>(s.classes);
  double loss = 0;
  for (std::int64_t j = threadIdx.x % kWarp; j < s.classes; j += kWarp)
    loss -= ((label == j ? 1 - s.smoothing : 0) + uniform) * log_p(x, log_sums, s, row, j);
  return warp_sum(loss);
}

/// The first largest class of a row; every lane gets it.
template <typename T>
__device__ std::int64_t predicted_class(const T* row, std::int64_t classes) {
  double best = -HUGE_VAL;
  long long at = classes;
  for (std::int64_t j = threadIdx.x % kWarp; j < classes; j += kWarp) {
    const double value = static_cast<double>(value_of(row[j]));
    if (value > best) {
      best = value;
      at = j;
    }
  }
  for (int step = kWarp / 2; step > 0; step /= 2) {
    const double other = __shfl_xor_sync(0xffffffffu, best, step);
    const long long place = __shfl_xor_sync(0xffffffffu, at, step);
    if (other > best || (other == best && place < at)) {
      best = other;
      at = place;
    }
  }
  return at < classes ? at : 0;
}

/// A warp per example. sums: own [counted, b], partner [counted, b], divergence [b], correct [b].
template <typename T>
__global__ void example_kernel(const T* x, const std::int64_t* labels, const double* log_sums, double* sums,
                               Settings s) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t i = row_of_warp(), b = s.samples;
  if (i >= b) return;
  const std::int64_t own = labels[i], other = labels[s.partner(i)];
  for (std::int64_t v = 0; v < s.counted; ++v) {
    const double first = label_loss(x, log_sums, s, v * b + i, own);
    const double second = s.permutation != nullptr ? label_loss(x, log_sums, s, v * b + i, other) : 0.0;
    if (lane == 0) {
      sums[v * b + i] = first;
      sums[(s.counted + v) * b + i] = second;
    }
  }
  double total = 0;
  if (s.weight != 0)
    for (std::int64_t j = lane; j < s.classes; j += kWarp) {
      const Mixture mixture(x, log_sums, s, i, j);
      for (std::int64_t v = 0; v < s.views; ++v) {
        const double l = log_p(x, log_sums, s, v * b + i, j), p = exp(l);
        if (p > 0) total += p * (l - mixture.log_m);  // 0 log 0 = 0
      }
    }
  total = warp_sum(total);
  const std::int64_t predicted = predicted_class(x + i * s.classes, s.classes);
  if (lane != 0) return;
  const double lambda = *s.lambda;
  sums[2 * s.counted * b + i] = total;
  sums[(2 * s.counted + 1) * b + i] = (predicted == own ? lambda : 0) + (predicted == other ? 1 - lambda : 0);
}

/// A warp per row: dL / df_v = [v counted] (p - t) / (counted b) + gamma p (slope - dot) / (V b).
template <typename T>
__global__ void gradient_kernel(const T* x, const std::int64_t* labels, const double* log_sums,
                                compute_t<T>* gradient, Settings s) {
  const int lane = threadIdx.x % kWarp;
  const std::int64_t row = row_of_warp(), b = s.samples, i = row % b;
  if (row >= s.views * b) return;
  const bool counted = row / b < s.counted, consistent = s.weight != 0;
  const double lambda = *s.lambda, uniform = s.smoothing / static_cast<double>(s.classes);
  const double scale = 1 / (static_cast<double>(b) * static_cast<double>(s.counted));
  const double gamma = s.weight / (static_cast<double>(b) * static_cast<double>(s.views));
  const std::int64_t own = labels[i], other = labels[s.partner(i)];
  const auto slope = [&](std::int64_t j, double l) {
    if (exp(l) == 0) return 0.0;
    const Mixture mixture(x, log_sums, s, i, j);
    return l - mixture.log_m + (mixture.clamped ? 1 : 0);
  };
  double dot = 0;
  if (consistent)
    for (std::int64_t j = lane; j < s.classes; j += kWarp) {
      const double l = log_p(x, log_sums, s, row, j);
      dot += exp(l) * slope(j, l);
    }
  dot = warp_sum(dot);
  for (std::int64_t j = lane; j < s.classes; j += kWarp) {
    const double l = log_p(x, log_sums, s, row, j), p = exp(l);
    double g = 0;
    if (counted) {
      const double target =
          uniform + (1 - s.smoothing) * ((j == own ? lambda : 0) + (j == other ? 1 - lambda : 0));
      g = scale * (p - target);
    }
    if (consistent) g += gamma * p * (slope(j, l) - dot);
    gradient[row * s.classes + j] = static_cast<compute_t<T>>(g);
  }
}

__device__ inline double block_total(const double* values, std::int64_t count) {
  double sum = 0;
  for (std::int64_t i = threadIdx.x; i < count; i += blockDim.x) sum += values[i];
  return block_sum(sum);
}

/// One block joins the examples' sums, rounding where the separate ops would.
template <typename C>
__global__ void join_kernel(const double* sums, C* loss, double* terms, Settings s) {
  const std::int64_t b = s.samples;
  const double mean = 1 / static_cast<double>(b), lambda = *s.lambda;
  C cross_entropy = 0, consistency = 0;
  for (std::int64_t v = 0; v < s.counted; ++v) {
    C term = static_cast<C>(mean * block_total(sums + v * b, b));
    const C partner = static_cast<C>(mean * block_total(sums + (s.counted + v) * b, b));
    if (s.permutation != nullptr && lambda != 1)
      term = term * static_cast<C>(lambda) + partner * static_cast<C>(1 - lambda);
    cross_entropy = v == 0 ? term : cross_entropy + term;
  }
  if (s.counted > 1) cross_entropy *= static_cast<C>(1 / static_cast<double>(s.counted));
  const double divergence = block_total(sums + 2 * s.counted * b, b);
  const double correct = block_total(sums + (2 * s.counted + 1) * b, b);
  if (s.weight != 0)
    consistency = static_cast<C>(divergence / static_cast<double>(s.views * b)) * static_cast<C>(s.weight);
  if (threadIdx.x != 0) return;
  *loss = s.weight != 0 ? cross_entropy + consistency : cross_entropy;
  terms[0] = static_cast<double>(cross_entropy);
  terms[1] = static_cast<double>(consistency);
  terms[2] = correct * mean;
}

unsigned warps(std::int64_t rows) {
  return static_cast<unsigned>((rows + kBlock / kWarp - 1) / (kBlock / kWarp));
}

}  // namespace

void view_loss(const Tensor& logits, const Tensor& labels, const Tensor& values, Tensor& gradient,
               Tensor& loss, Tensor& terms, const ViewLossOptions& o) {
  const std::int64_t rows = logits.dim(0), b = labels.dim(0);
  const auto* lambda = reinterpret_cast<const double*>(values.raw());
  const Settings s{o.views,
                   o.counted_views,
                   b,
                   logits.dim(1),
                   o.label_smoothing,
                   o.consistency_weight,
                   o.consistency_floor,
                   lambda,
                   o.permutation.empty() ? nullptr : reinterpret_cast<const std::int64_t*>(lambda + 1)};
  Tensor log_sums = Tensor::empty({rows}, Dtype::f64, logits.device());
  Tensor sums = Tensor::empty({2 * o.counted_views + 2, b}, Dtype::f64, logits.device());
  double *log_sum = log_sums.mutable_data<double>(), *sum = sums.mutable_data<double>();
  const std::int64_t* label = labels.data<std::int64_t>();
  dispatch_floating("view_loss", logits.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* x = logits.data<T>();
    launch(log_sums_kernel<T>, warps(rows), kBlock, x, log_sum, rows, s.classes);
    launch(example_kernel<T>, warps(b), kBlock, x, label, static_cast<const double*>(log_sum), sum, s);
    if (gradient.defined())
      launch(gradient_kernel<T>, warps(rows), kBlock, x, label, static_cast<const double*>(log_sum),
             gradient.mutable_data<C>(), s);
    launch(join_kernel<C>, 1u, kBlock, static_cast<const double*>(sum), loss.mutable_data<C>(),
           terms.mutable_data<double>(), s);
  });
}

}  // namespace noisymix::cuda
