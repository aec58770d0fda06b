#include "engine/ops/cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

/// Rows per chunk: a row costs about `classes` exponentials.
std::int64_t row_grain(std::int64_t classes) {
  return std::max<std::int64_t>(1, (1 << 12) / classes);
}

/// log sum exp of one row, in double.
template <typename T>
double log_sum_exp(const T* x, std::int64_t classes) {
  double peak = as_double(x[0]);
  for (std::int64_t j = 1; j < classes; ++j) peak = std::max(peak, as_double(x[j]));
  double total = 0;
  for (std::int64_t j = 0; j < classes; ++j) total += std::exp(as_double(x[j]) - peak);
  return peak + std::log(total);
}

/// Target distribution of integer labels with smoothing: the weight of class j in row i.
struct LabelTarget {
  const std::int64_t* labels;
  double smoothing;
  std::int64_t classes;
  double operator()(std::int64_t i, std::int64_t j) const {
    return (labels[i] == j ? 1 - smoothing : 0) + smoothing / static_cast<double>(classes);
  }
};

template <typename T>
struct SoftTarget {
  const T* targets;
  std::int64_t classes;
  double operator()(std::int64_t i, std::int64_t j) const { return as_double(targets[i * classes + j]); }
};

/// losses[i] = -sum_j t_j log p_j and log_sums[i] = log sum exp of row i, both f64. A class of weight 0 adds
/// nothing, even where its logit is -inf.
template <typename T, typename Target>
void row_losses(const T* x, Tensor& losses, Tensor& log_sums, std::int64_t classes, Target target) {
  double *loss = losses.mutable_data<double>(), *log_sum = log_sums.mutable_data<double>();
  parallel_for(losses.numel(), row_grain(classes), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const T* row = x + i * classes;
      log_sum[i] = log_sum_exp(row, classes);
      loss[i] = 0;
      for (std::int64_t j = 0; j < classes; ++j)
        if (const double t = target(i, j); t != 0) loss[i] += t * (log_sum[i] - as_double(row[j]));
    }
  });
}

/// dx = g ((sum t) p - t), where g is scale times the only element of dy or, with one loss per row, its own.
template <typename T, typename Target>
void row_gradients(const Tensor& dy, const T* x, const Tensor& log_sums, T* dx, std::int64_t classes,
                   double scale, Target target) {
  const T* gradient = dy.data<T>();
  const double* log_sum = log_sums.data<double>();
  const std::int64_t step = dy.rank() == 0 ? 0 : 1;
  parallel_for(log_sums.numel(), row_grain(classes), [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const double g = scale * as_double(gradient[i * step]);
      double weight = 0;
      for (std::int64_t j = 0; j < classes; ++j) weight += target(i, j);
      for (std::int64_t j = 0; j < classes; ++j) {
        const double p = std::exp(as_double(x[i * classes + j]) - log_sum[i]);
        dx[i * classes + j] = from_double<T>(g * (weight * p - target(i, j)));
      }
    }
  });
}

/// y = scale * sum of losses, or every loss when y has one per row.
template <typename T>
void reduce_losses(const Tensor& losses, Tensor& y, double scale) {
  const double* loss = losses.data<double>();
  T* out = y.mutable_data<T>();
  if (y.rank() == 1) {
    for (std::int64_t i = 0; i < losses.numel(); ++i) out[i] = from_double<T>(loss[i]);
    return;
  }
  double total = 0;
  for (std::int64_t i = 0; i < losses.numel(); ++i) total += loss[i];
  out[0] = from_double<T>(scale * total);
}

void check_labels(const Tensor& labels, std::int64_t classes) {
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < labels.numel(); ++i)
    NM_CHECK(label[i] >= 0 && label[i] < classes, "[cross_entropy] label ", label[i], " in row ", i,
             " is outside 0..", classes - 1);
}

void cross_entropy(const Tensor& logits, const Tensor& labels, Tensor& y, Tensor& log_sums, double smoothing,
                   double scale) {
  const std::int64_t classes = logits.dim(1);
  check_labels(labels, classes);
  dispatch_floating("cross_entropy", logits.dtype(), [&]<typename T>() {
    Tensor losses = empty_like(log_sums);
    row_losses(logits.data<T>(), losses, log_sums, classes,
               LabelTarget{labels.data<std::int64_t>(), smoothing, classes});
    reduce_losses<T>(losses, y, scale);
  });
}

void cross_entropy_grad(const Tensor& dy, const Tensor& logits, const Tensor& labels, const Tensor& log_sums,
                        Tensor& dx, double smoothing, double scale) {
  const std::int64_t classes = logits.dim(1);
  dispatch_floating("cross_entropy", logits.dtype(), [&]<typename T>() {
    row_gradients(dy, logits.data<T>(), log_sums, dx.mutable_data<T>(), classes, scale,
                  LabelTarget{labels.data<std::int64_t>(), smoothing, classes});
  });
}

void cross_entropy_soft(const Tensor& logits, const Tensor& targets, Tensor& y, Tensor& log_sums,
                        double scale) {
  dispatch_floating("cross_entropy_soft", logits.dtype(), [&]<typename T>() {
    Tensor losses = empty_like(log_sums);
    const SoftTarget<T> target{targets.data<T>(), logits.dim(1)};
    row_losses(logits.data<T>(), losses, log_sums, logits.dim(1), target);
    reduce_losses<T>(losses, y, scale);
  });
}

void cross_entropy_soft_grad(const Tensor& dy, const Tensor& logits, const Tensor& targets,
                             const Tensor& log_sums, Tensor& dx, double scale) {
  dispatch_floating("cross_entropy_soft", logits.dtype(), [&]<typename T>() {
    const SoftTarget<T> target{targets.data<T>(), logits.dim(1)};
    row_gradients(dy, logits.data<T>(), log_sums, dx.mutable_data<T>(), logits.dim(1), scale, target);
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel kernel{"cross_entropy", cpu::cross_entropy, NM_CUDA(cuda::cross_entropy)};
constexpr Kernel grad_kernel{"cross_entropy", cpu::cross_entropy_grad, NM_CUDA(cuda::cross_entropy_grad)};
constexpr Kernel soft_kernel{"cross_entropy_soft", cpu::cross_entropy_soft,
                             NM_CUDA(cuda::cross_entropy_soft)};
constexpr Kernel soft_grad_kernel{"cross_entropy_soft", cpu::cross_entropy_soft_grad,
                                  NM_CUDA(cuda::cross_entropy_soft_grad)};

void check_logits(const char* op, const Tensor& logits, Reduction reduction) {
  NM_CHECK(logits.rank() == 2 && logits.dim(1) > 0, "[", op, "] expects logits [n, k] with k > 0, got shape ",
           logits.shape());
  NM_CHECK(logits.dim(0) > 0 || reduction != Reduction::mean, "[", op,
           "] the mean over an empty batch is undefined");
}

Shape result_shape(std::int64_t rows, Reduction reduction) {
  return reduction == Reduction::none ? Shape{rows} : Shape{};
}

double result_scale(std::int64_t rows, Reduction reduction) {
  return reduction == Reduction::mean ? 1.0 / static_cast<double>(rows) : 1.0;
}

}  // namespace

Tensor cross_entropy(const Tensor& logits, const Tensor& labels, double label_smoothing,
                     Reduction reduction) {
  check_logits("cross_entropy", logits, reduction);
  const std::int64_t rows = logits.dim(0);
  NM_CHECK(labels.dtype() == Dtype::i64, "[cross_entropy] expects i64 labels, got ", labels.dtype());
  NM_CHECK(labels.shape() == Shape{rows}, "[cross_entropy] expects labels of shape ", Shape{rows},
           " for logits ", logits.shape(), ", got ", labels.shape());
  NM_CHECK(labels.device() == logits.device(), "[cross_entropy] expects tensors on one device, got ",
           logits.device(), " and ", labels.device());
  NM_CHECK(label_smoothing >= 0 && label_smoothing <= 1,
           "[cross_entropy] expects label smoothing in 0..1, got ", label_smoothing);
  const double scale = result_scale(rows, reduction);
  Tensor y = Tensor::empty(result_shape(rows, reduction), logits.dtype(), logits.device());
  Tensor log_sums = Tensor::empty({rows}, Dtype::f64, logits.device());
  kernel(logits, labels, y, log_sums, label_smoothing, scale);
  return record("cross_entropy", {logits}, y,
                [logits = logits.detach(), labels = labels.detach(), log_sums, label_smoothing,
                 scale](const Tensor& dy) {
                  Tensor dx = empty_like(logits);
                  grad_kernel(dy, logits, labels, log_sums, dx, label_smoothing, scale);
                  return Grads{dx};
                });
}

Tensor cross_entropy_soft(const Tensor& logits, const Tensor& targets, Reduction reduction) {
  check_logits("cross_entropy_soft", logits, reduction);
  check_same_kind("cross_entropy_soft", logits, targets);
  NM_CHECK(targets.shape() == logits.shape(), "[cross_entropy_soft] expects targets of shape ",
           logits.shape(), ", got ", targets.shape());
  const double scale = result_scale(logits.dim(0), reduction);
  Tensor y = Tensor::empty(result_shape(logits.dim(0), reduction), logits.dtype(), logits.device());
  Tensor log_sums = Tensor::empty({logits.dim(0)}, Dtype::f64, logits.device());
  soft_kernel(logits, targets, y, log_sums, scale);
  return record("cross_entropy_soft", {logits}, y,
                [logits = logits.detach(), targets = targets.detach(), log_sums, scale](const Tensor& dy) {
                  Tensor dx = empty_like(logits);
                  soft_grad_kernel(dy, logits, targets, log_sums, dx, scale);
                  return Grads{dx};
                });
}

}  // namespace noisymix
