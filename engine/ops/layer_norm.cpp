#include "engine/ops/layer_norm.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/element.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace cpu {
namespace {

/// Calls body(set, first channel) for every set, in parallel.
template <typename Body>
void for_each_set(const NormPlan& plan, Body&& body) {
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 14) / plan.count());
  parallel_for(plan.sets(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t set = begin; set < end; ++set) body(set, set % plan.groups * plan.width);
  });
}

/// Sum of term(element, channel) over one set. Four lanes let the additions overlap.
template <typename Term>
double sum_over_set(const NormPlan& plan, std::int64_t start, std::int64_t channel, Term term) {
  double lane[4] = {0, 0, 0, 0};
  for (std::int64_t p = 0; p < plan.positions; ++p) {
    const std::int64_t first = start + p * plan.channels();
    std::int64_t i = 0;
    for (; i + 4 <= plan.width; i += 4)
      for (int k = 0; k < 4; ++k) lane[k] += term(first + i + k, channel + i + k);
    for (; i < plan.width; ++i) lane[0] += term(first + i, channel + i);
  }
  return (lane[0] + lane[1]) + (lane[2] + lane[3]);
}

/// y = (x - mean) * rstd * weight + bias; statistics [sets, 2] (f64) keep mean and rstd = 1 / sqrt(variance +
/// epsilon).
void layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y, Tensor& statistics,
                const NormPlan& plan) {
  dispatch_floating("layer_norm", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T *in = x.data<T>(), *w = weight.data<T>(), *b = bias.data<T>();
    T* out = y.mutable_data<T>();
    double* saved = statistics.mutable_data<double>();
    for_each_set(plan, [&, in, w, b, out, saved](std::int64_t set, std::int64_t channel) {
      const std::int64_t start = plan.start(set);
      const double count = static_cast<double>(plan.count());
      const double mean = sum_over_set(plan, start, channel,
                                       [in](std::int64_t e, std::int64_t) { return as_double(in[e]); }) /
                          count;
      const double variance = sum_over_set(plan, start, channel,
                                           [in, mean](std::int64_t e, std::int64_t) {
                                             const double gap = as_double(in[e]) - mean;
                                             return gap * gap;
                                           }) /
                              count;
      const double rstd = 1 / std::sqrt(variance + plan.epsilon);
      saved[2 * set] = mean;
      saved[2 * set + 1] = rstd;
      for (std::int64_t p = 0; p < plan.positions; ++p) {
        const std::int64_t first = start + p * plan.channels();
        for (std::int64_t i = 0; i < plan.width; ++i) {
          const C normal = static_cast<C>((as_double(in[first + i]) - mean) * rstd);
          out[first + i] = T(normal * static_cast<C>(w[channel + i]) + static_cast<C>(b[channel + i]));
        }
      }
    });
  });
}

/// With normal = (x - mean) rstd and g = dy weight: dx = rstd (g - mean(g) - normal mean(g normal)), means
/// over the set.
void layer_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& statistics,
                     Tensor& dx, const NormPlan& plan) {
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>(), *w = weight.data<T>();
    T* out = dx.mutable_data<T>();
    const double* saved = statistics.data<double>();
    for_each_set(plan, [&, gradient, in, w, out, saved](std::int64_t set, std::int64_t channel) {
      const std::int64_t start = plan.start(set);
      const double mean = saved[2 * set], rstd = saved[2 * set + 1],
                   count = static_cast<double>(plan.count());
      const auto weighted = [=](std::int64_t e, std::int64_t c) {
        return as_double(gradient[e]) * as_double(w[c]);
      };
      const auto normal = [=](std::int64_t e) { return (as_double(in[e]) - mean) * rstd; };
      const double mean_g = sum_over_set(plan, start, channel, weighted) / count;
      const double mean_gn =
          sum_over_set(plan, start, channel,
                       [=](std::int64_t e, std::int64_t c) { return weighted(e, c) * normal(e); }) /
          count;
      for (std::int64_t p = 0; p < plan.positions; ++p)
        for (std::int64_t i = 0; i < plan.width; ++i) {
          const std::int64_t e = start + p * plan.channels() + i;
          out[e] = from_double<T>(rstd * (weighted(e, channel + i) - mean_g - normal(e) * mean_gn));
        }
    });
  });
}

/// dweight = sum dy normal and dbias = sum dy over samples and positions: partial sums per block of rows,
/// added in order.
void layer_norm_parameter_grad(const Tensor& dy, const Tensor& x, const Tensor& statistics, Tensor& dweight,
                               Tensor& dbias, const NormPlan& plan) {
  const std::int64_t channels = plan.channels(), rows = plan.samples * plan.positions;
  // At most 64 blocks bound the memory of the partial sums.
  const std::int64_t grain =
      std::max({std::int64_t{1}, (1 << 14) / std::max<std::int64_t>(channels, 1), chunk_count(rows, 64)});
  const std::int64_t blocks = chunk_count(rows, grain);
  Tensor partials = Tensor::zeros({std::max<std::int64_t>(blocks, 1), 2, channels}, Dtype::f64);
  double* partial = partials.mutable_data<double>();
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>();
    const double* saved = statistics.data<double>();
    parallel_for(rows, grain, [&, gradient, in, saved, partial](std::int64_t begin, std::int64_t end) {
      double* sum_gn = partial + begin / grain * 2 * channels;
      double* sum_g = sum_gn + channels;
      for (std::int64_t r = begin; r < end; ++r)
        for (std::int64_t group = 0; group < plan.groups; ++group) {
          const double* set = saved + 2 * (r / plan.positions * plan.groups + group);
          const double mean = set[0], rstd = set[1];
          for (std::int64_t c = group * plan.width; c < (group + 1) * plan.width; ++c) {
            const double g = as_double(gradient[r * channels + c]);
            sum_gn[c] += g * ((as_double(in[r * channels + c]) - mean) * rstd);
            sum_g[c] += g;
          }
        }
    });
    T *dw = dweight.mutable_data<T>(), *db = dbias.mutable_data<T>();
    for (std::int64_t c = 0; c < channels; ++c) {
      double total_gn = 0, total_g = 0;
      for (std::int64_t block = 0; block < blocks; ++block) {
        total_gn += partial[2 * block * channels + c];
        total_g += partial[(2 * block + 1) * channels + c];
      }
      dw[c] = from_double<T>(total_gn);
      db[c] = from_double<T>(total_g);
    }
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel kernel{"layer_norm", cpu::layer_norm, NM_CUDA(cuda::layer_norm)};
constexpr Kernel grad_kernel{"layer_norm", cpu::layer_norm_grad, NM_CUDA(cuda::layer_norm_grad)};
constexpr Kernel parameter_grad_kernel{"layer_norm", cpu::layer_norm_parameter_grad,
                                       NM_CUDA(cuda::layer_norm_parameter_grad)};

void check_parameters(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                      const Shape& expected, double epsilon) {
  check_same_kind(op, x, weight);
  check_same_kind(op, x, bias);
  NM_CHECK(weight.shape() == expected && bias.shape() == expected, "[", op,
           "] expects weight and bias of shape ", expected, " for x ", x.shape(), ", got ", weight.shape(),
           " and ", bias.shape());
  NM_CHECK(epsilon >= 0, "[", op, "] expects epsilon of at least 0, got ", epsilon);
}

Tensor normalise(const char* op, const Tensor& x, const Tensor& weight, const Tensor& bias,
                 const NormPlan& plan) {
  Tensor y = empty_like(x);
  Tensor statistics = Tensor::empty({plan.sets(), 2}, Dtype::f64, x.device());
  if (plan.count() > 0) kernel(x, weight, bias, y, statistics, plan);
  const bool to_x = wants_grad(x), to_parameters = wants_grad(weight) || wants_grad(bias);
  return record(
      op, {x, weight, bias}, y,
      [x = x.detach(), weight = weight.detach(), statistics, plan, to_x, to_parameters](const Tensor& dy) {
        Grads grads(3);
        if (to_x) {
          grads[0] = empty_like(x);
          if (plan.count() > 0) grad_kernel(dy, x, weight, statistics, grads[0], plan);
        }
        if (to_parameters) {
          grads[1] = empty_like(weight);
          grads[2] = empty_like(weight);
          parameter_grad_kernel(dy, x, statistics, grads[1], grads[2], plan);
        }
        return grads;
      });
}

}  // namespace

Tensor layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, double epsilon) {
  const int normalised = weight.rank();
  NM_CHECK(normalised >= 1 && normalised <= x.rank(), "[layer_norm] expects a weight of 1 to ", x.rank(),
           " axes for x ", x.shape(), ", got shape ", weight.shape());
  const auto& dims = x.shape().dims();
  check_parameters("layer_norm", x, weight, bias,
                   Shape(std::vector<std::int64_t>(dims.end() - normalised, dims.end())), epsilon);
  NormPlan plan;
  for (int axis = 0; axis < x.rank() - normalised; ++axis) plan.samples *= x.dim(axis);
  plan.width = weight.numel();
  plan.epsilon = epsilon;
  return normalise("layer_norm", x, weight, bias, plan);
}

Tensor group_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, std::int64_t groups,
                  double epsilon) {
  NM_CHECK(x.rank() >= 2, "[group_norm] expects x [n, ..., c], got shape ", x.shape());
  const std::int64_t channels = x.dim(-1);
  NM_CHECK(groups >= 1 && channels % groups == 0, "[group_norm] cannot divide ", channels, " channels into ",
           groups, " groups");
  check_parameters("group_norm", x, weight, bias, {channels}, epsilon);
  NormPlan plan{x.dim(0), 1, groups, channels / groups, epsilon};
  for (int axis = 1; axis < x.rank() - 1; ++axis) plan.positions *= x.dim(axis);
  return normalise("group_norm", x, weight, bias, plan);
}

}  // namespace noisymix
