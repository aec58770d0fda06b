#include "engine/ops/jensen_shannon.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

std::int64_t sample_grain(std::int64_t views, std::int64_t classes) {
  return std::max<std::int64_t>(1, (1 << 12) / (views * classes));
}

/// log p = x - log sum exp(x) of one row, in double: finite where p itself would underflow.
template <typename T>
void log_softmax_row(const T* x, double* log_p, std::int64_t classes) {
  double peak = as_double(x[0]);
  for (std::int64_t j = 1; j < classes; ++j) peak = std::max(peak, as_double(x[j]));
  double total = 0;
  for (std::int64_t j = 0; j < classes; ++j) total += std::exp(as_double(x[j]) - peak);
  const double shift = peak + std::log(total);
  for (std::int64_t j = 0; j < classes; ++j) log_p[j] = as_double(x[j]) - shift;
}

/// One class of one sample over its views, whose log-probabilities are `stride` elements apart.
struct Mixture {
  double mean = 0;   ///< average probability
  double log_m = 0;  ///< log of the average, kept at or above the floor
  bool clamped = false;

  Mixture(const double* log_p, std::int64_t views, std::int64_t stride, double floor) {
    for (std::int64_t v = 0; v < views; ++v) mean += std::exp(log_p[v * stride]);
    mean /= static_cast<double>(views);
    clamped = mean < floor;
    log_m = std::log(std::clamp(mean, floor, 1.0));
  }
};

/// log_p (f64, shape of logits) and y = (1 / (views b)) sum over views, samples, classes of p (log p - log
/// m).
void jensen_shannon(const Tensor& logits, Tensor& log_probabilities, Tensor& y, std::int64_t views,
                    double floor) {
  const std::int64_t classes = logits.dim(1), samples = logits.dim(0) / views, stride = samples * classes;
  dispatch_floating("jensen_shannon", logits.dtype(), [&]<typename T>() {
    const T* x = logits.data<T>();
    double* log_p = log_probabilities.mutable_data<double>();
    Tensor divergences = Tensor::empty({samples}, Dtype::f64);
    double* divergence = divergences.mutable_data<double>();
    parallel_for(samples, sample_grain(views, classes), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        double* own = log_p + i * classes;
        for (std::int64_t v = 0; v < views; ++v)
          log_softmax_row(x + v * stride + i * classes, own + v * stride, classes);
        divergence[i] = 0;
        for (std::int64_t j = 0; j < classes; ++j) {
          const Mixture mixture(own + j, views, stride, floor);
          for (std::int64_t v = 0; v < views; ++v) {
            const double l = own[v * stride + j], p = std::exp(l);
            if (p > 0) divergence[i] += p * (l - mixture.log_m);  // 0 log 0 = 0
          }
        }
      }
    });
    double total = 0;
    for (std::int64_t i = 0; i < samples; ++i) total += divergence[i];
    y.mutable_data<T>()[0] = from_double<T>(total / static_cast<double>(views * samples));
  });
}

/// With q = log p - log m, the derivative by p is (q + 1 - [m not clamped]) / (views b): the 1 of p log p and
/// the -1 that comes back through m cancel unless the clamp cuts the latter. Then dx = p (d - sum p d), the
/// softmax's own gradient.
void jensen_shannon_grad(const Tensor& dy, const Tensor& log_probabilities, Tensor& dx, std::int64_t views,
                         double floor) {
  const std::int64_t classes = dx.dim(1), samples = dx.dim(0) / views, stride = samples * classes;
  dispatch_floating("jensen_shannon", dy.dtype(), [&]<typename T>() {
    const double* log_p = log_probabilities.data<double>();
    const double scale = as_double(dy.data<T>()[0]) / static_cast<double>(views * samples);
    T* to = dx.mutable_data<T>();
    Tensor derivatives = empty_like(log_probabilities);
    double* derivative = derivatives.mutable_data<double>();
    parallel_for(samples, sample_grain(views, classes), [=](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i * classes;
        for (std::int64_t j = first; j < first + classes; ++j) {
          const Mixture mixture(log_p + j, views, stride, floor);
          for (std::int64_t v = 0; v < views; ++v) {
            const double l = log_p[v * stride + j];
            derivative[v * stride + j] = std::exp(l) > 0 ? l - mixture.log_m + (mixture.clamped ? 1 : 0) : 0;
          }
        }
        for (std::int64_t v = 0; v < views; ++v) {
          const double *l = log_p + v * stride + first, *d = derivative + v * stride + first;
          double dot = 0;
          for (std::int64_t j = 0; j < classes; ++j) dot += std::exp(l[j]) * d[j];
          for (std::int64_t j = 0; j < classes; ++j)
            to[v * stride + first + j] = from_double<T>(scale * std::exp(l[j]) * (d[j] - dot));
        }
      }
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel kernel{"jensen_shannon", cpu::jensen_shannon, NM_CUDA(cuda::jensen_shannon)};
constexpr Kernel grad_kernel{"jensen_shannon", cpu::jensen_shannon_grad, NM_CUDA(cuda::jensen_shannon_grad)};

}  // namespace

Tensor jensen_shannon(const Tensor& logits, std::int64_t views, double floor) {
  NM_CHECK(logits.rank() == 2 && logits.dim(1) > 0,
           "[jensen_shannon] expects logits [views * b, k] with k > 0, got ", "shape ", logits.shape());
  NM_CHECK(views >= 1 && logits.dim(0) % views == 0 && logits.dim(0) > 0, "[jensen_shannon] cannot divide ",
           logits.dim(0), " rows into ", views, " views of at least one sample");
  NM_CHECK(floor >= 0 && floor <= 1, "[jensen_shannon] expects a floor of 0 to 1, got ", floor);
  Tensor log_probabilities = Tensor::empty(logits.shape(), Dtype::f64, logits.device());
  Tensor y = Tensor::empty({}, logits.dtype(), logits.device());
  kernel(logits, log_probabilities, y, views, floor);
  return record("jensen_shannon", {logits}, y, [log_probabilities, views, floor](const Tensor& dy) {
    Tensor dx = Tensor::empty(log_probabilities.shape(), dy.dtype(), dy.device());
    grad_kernel(dy, log_probabilities, dx, views, floor);
    return Grads{dx};
  });
}

}  // namespace noisymix
