#include "engine/ops/layer_norm.h"

#include "engine/ops/reduce_kernels.h"

namespace noisymix::cuda {
namespace {

/// Two numbers of a set, stored as [sets, 2].
struct PairOf {
  double first, second;
};
__device__ inline PairOf pair_of(const double* pairs, std::int64_t set) {
  return {pairs[2 * set], pairs[2 * set + 1]};
}

// What becomes of the totals.

struct StoreHalf {
  double* pairs;
  int half;
  double scale;
  __device__ void operator()(std::int64_t set, double total) const { pairs[2 * set + half] = scale * total; }
};

struct StoreRstd {
  double* statistics;
  double scale, epsilon;
  __device__ void operator()(std::int64_t set, double total) const {
    statistics[2 * set + 1] = 1 / std::sqrt(scale * total + epsilon);
  }
};

// Terms.

struct SquaredGap {
  const double* statistics;
  template <typename T>
  __device__ double operator()(T value, Element element) const {
    const double gap = as_double(value) - statistics[2 * element.result];
    return gap * gap;
  }
};

/// g = dy weight, or g normal with normal = (x - mean) rstd.
template <typename T, bool Normal>
struct Weighted {
  const T *x, *weight;
  const double* statistics;
  std::int64_t channels;
  __device__ double operator()(T dy, Element element) const {
    const double g = as_double(dy) * as_double(weight[element.offset % channels]);
    if constexpr (!Normal) return g;
    const PairOf set = pair_of(statistics, element.result);
    return g * ((as_double(x[element.offset]) - set.first) * set.second);
  }
};

/// dy normal, summed per channel: the results are channels, the positions rows of channels.
template <typename T>
struct TimesNormal {
  const T* x;
  const double* statistics;
  NormPlan plan;
  __device__ double operator()(T dy, Element element) const {
    const PairOf set =
        pair_of(statistics, element.position / plan.positions * plan.groups + element.result / plan.width);
    return as_double(dy) * ((as_double(x[element.offset]) - set.first) * set.second);
  }
};

// Passes that write.

template <typename T>
struct Normalise {
  const T *x, *weight, *bias;
  const double* statistics;
  T* y;
  std::int64_t channels;
  bool packed;
  __device__ void operator()(Piece p) const {
    using C = compute_t<T>;
    Pack<T, kPack<T>> part = load_part<kPack<T>>(x + p.segment, p.first, p.length, packed);
    std::int64_t c = (p.segment + p.first) % channels;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      if (p.first + k >= p.length) continue;
      const PairOf set = pair_of(statistics, p.result + k * p.step);
      const C normal = static_cast<C>((as_double(part.at[k]) - set.first) * set.second);
      part.at[k] = T(normal * value_of(weight[c]) + value_of(bias[c]));
      c = c + 1 == channels ? 0 : c + 1;
    }
    store_part(y + p.segment, p.first, p.length, packed, part);
  }
};

template <typename T>
struct WriteGrad {
  const T *dy, *x, *weight;
  const double *statistics, *means;
  T* dx;
  std::int64_t channels;
  bool packed;
  __device__ void operator()(Piece p) const {
    const Pack<T, kPack<T>> gradient = load_part<kPack<T>>(dy + p.segment, p.first, p.length, packed);
    Pack<T, kPack<T>> part = load_part<kPack<T>>(x + p.segment, p.first, p.length, packed);
    std::int64_t c = (p.segment + p.first) % channels;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      if (p.first + k >= p.length) continue;
      const PairOf set = pair_of(statistics, p.result + k * p.step),
                   mean = pair_of(means, p.result + k * p.step);
      const double g = as_double(gradient.at[k]) * as_double(weight[c]);
      const double normal = (as_double(part.at[k]) - set.first) * set.second;
      part.at[k] = from_double<T>(set.second * (g - mean.first - normal * mean.second));
      c = c + 1 == channels ? 0 : c + 1;
    }
    store_part(dx + p.segment, p.first, p.length, packed, part);
  }
};

void add_axis(ReduceWalk::AxisList& list, std::int64_t size, std::int64_t stride) {
  if (size != 1) list.axis[list.count++] = {size, stride};
}

/// x as one reduction: result `set` has the elements of that set.
ReduceWalk walk_of_sets(const NormPlan& plan) {
  ReduceWalk walk;
  add_axis(walk.outer_axes, plan.samples, plan.positions * plan.channels());
  if (plan.groups == 1) {
    walk.outer = plan.samples;
    walk.run = plan.count();
    return walk;
  }
  walk.rows = plan.positions;
  add_axis(walk.row_axes, plan.positions, plan.channels());
  if (plan.width == 1) {
    walk.outer = plan.samples;
    walk.columns = plan.groups;
  } else {
    walk.outer = plan.sets();
    add_axis(walk.outer_axes, plan.groups, plan.width);
    walk.run = plan.width;
  }
  return walk;
}

}  // namespace

void layer_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, Tensor& y, Tensor& statistics,
                const NormPlan& plan) {
  dispatch_floating("layer_norm", x.dtype(), [&]<typename T>() {
    const T* in = x.data<T>();
    T* out = y.mutable_data<T>();
    double* saved = statistics.mutable_data<double>();
    const ReduceWalk walk = walk_of_sets(plan);
    const double share = 1.0 / static_cast<double>(plan.count());
    sweep<Total>(in, x.device(), walk, Value{}, StoreHalf{saved, 0, share});
    sweep<Total>(in, x.device(), walk, SquaredGap{saved}, StoreRstd{saved, share, plan.epsilon});
    const bool packed = packable(in, out) && segments_allow(walk, kPack<T>);
    for_each_piece<kPack<T>>(
        walk, Normalise<T>{in, weight.data<T>(), bias.data<T>(), saved, out, plan.channels(), packed});
  });
}

void layer_norm_grad(const Tensor& dy, const Tensor& x, const Tensor& weight, const Tensor& statistics,
                     Tensor& dx, const NormPlan& plan) {
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *in = x.data<T>(), *w = weight.data<T>();
    T* out = dx.mutable_data<T>();
    const double* saved = statistics.data<double>();
    Tensor sums = Tensor::empty({plan.sets(), 2}, Dtype::f64, x.device());
    double* means = sums.mutable_data<double>();
    const ReduceWalk walk = walk_of_sets(plan);
    const double share = 1.0 / static_cast<double>(plan.count());
    sweep<Total>(gradient, x.device(), walk, Weighted<T, false>{in, w, saved, plan.channels()},
                 StoreHalf{means, 0, share});
    sweep<Total>(gradient, x.device(), walk, Weighted<T, true>{in, w, saved, plan.channels()},
                 StoreHalf{means, 1, share});
    const bool packed = packable(gradient, in, out) && segments_allow(walk, kPack<T>);
    for_each_piece<kPack<T>>(walk, WriteGrad<T>{gradient, in, w, saved, means, out, plan.channels(), packed});
  });
}

void layer_norm_parameter_grad(const Tensor& dy, const Tensor& x, const Tensor& statistics, Tensor& dweight,
                               Tensor& dbias, const NormPlan& plan) {
  ReduceWalk walk;
  walk.rows = plan.samples * plan.positions;
  walk.columns = plan.channels();
  add_axis(walk.row_axes, walk.rows, walk.columns);
  dispatch_floating("layer_norm", dy.dtype(), [&]<typename T>() {
    const T* gradient = dy.data<T>();
    sweep<Total>(gradient, x.device(), walk, TimesNormal<T>{x.data<T>(), statistics.data<double>(), plan},
                 Store<T>{dweight.mutable_data<T>()});
    sweep<Total>(gradient, x.device(), walk, Value{}, Store<T>{dbias.mutable_data<T>()});
  });
}

}  // namespace noisymix::cuda
