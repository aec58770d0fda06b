#include "engine/ops/reduce_kernels.h"

namespace noisymix::cuda {
namespace {

// What becomes of a total.

template <typename T>
struct Divided {
  T* y;
  double divisor;
  __device__ void operator()(std::int64_t r, double total) const { y[r] = from_double<T>(total / divisor); }
};

// Subtracting an infinite peak would give NaN: all -inf is log(0), one +inf is +inf.
struct FinitePeak {
  double* peak;
  __device__ void operator()(std::int64_t r, double total) const {
    peak[r] = total == HUGE_VAL || total == -HUGE_VAL ? 0 : total;
  }
};

template <typename T>
struct PeakPlusLog {
  const double* peak;
  double* result;
  T* y;
  __device__ void operator()(std::int64_t r, double total) const {
    const double value = peak[r] + std::log(total);
    result[r] = value;
    y[r] = from_double<T>(value);
  }
};

template <typename T>
struct Root {
  double* norm;
  T* y;
  __device__ void operator()(std::int64_t r, double total) const {
    const double value = std::sqrt(total);
    norm[r] = value;
    y[r] = from_double<T>(value);
  }
};

// Terms.

struct SquaredGap {
  const double* mean;
  template <typename T>
  __device__ double operator()(T value, Element element) const {
    const double gap = as_double(value) - mean[element.result];
    return gap * gap;
  }
};

struct Squared {
  template <typename T>
  __device__ double operator()(T value, Element) const {
    return as_double(value) * as_double(value);
  }
};

// Gradients.

template <typename T>
struct SumGrad {
  const T* dy;
  T* dx;
  compute_t<T> factor;
  bool packed;
  __device__ void operator()(Piece p) const {
    Pack<T, kPack<T>> out;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k)
      if (p.first + k < p.length) out.at[k] = T(factor * value_of(dy[p.result + k * p.step]));
    store_part(dx + p.segment, p.first, p.length, packed, out);
  }
};

/// dx = value(dy, x, number of its result).
template <typename T, typename Function>
struct GradOfInput {
  const T *dy, *x;
  T* dx;
  Function value;
  bool packed;
  __device__ void operator()(Piece p) const {
    const Pack<T, kPack<T>> in = load_part<kPack<T>>(x + p.segment, p.first, p.length, packed);
    Pack<T, kPack<T>> out;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k)
      if (p.first + k < p.length)
        out.at[k] = value(dy[p.result + k * p.step], in.at[k], p.result + k * p.step);
    store_part(dx + p.segment, p.first, p.length, packed, out);
  }
};

template <typename T>
struct VarianceSlope {
  const double* mean;
  double factor;
  __device__ T operator()(T dy, T x, std::int64_t r) const {
    return from_double<T>(factor * as_double(dy) * (as_double(x) - mean[r]));
  }
};

template <typename T>
struct LogSumExpSlope {
  const double* y;
  __device__ T operator()(T dy, T x, std::int64_t r) const {
    using C = compute_t<T>;
    const C p = y[r] == -HUGE_VAL ? C(0) : std::exp(static_cast<C>(as_double(x) - y[r]));
    return T(value_of(dy) * p);
  }
};

template <typename T, typename Function>
void grad_of_input(const Tensor& dy, const Tensor& x, Tensor& dx, const ReduceLayout& layout,
                   Function value) {
  const T* in = x.data<T>();
  T* to = dx.mutable_data<T>();
  const bool packed = packable(in, to) && segments_allow(layout, kPack<T>);
  for_each_piece<kPack<T>>(layout, GradOfInput<T, Function>{dy.data<T>(), in, to, value, packed});
}

template <typename T>
__global__ void l2norm_grad_kernel(const T* dy, const T* x, const double* norm, T* dx, std::int64_t count,
                                   bool packed) {
  constexpr int n = kPack<T>;
  const double length = *norm, factor = length > 0 ? as_double(*dy) / length : 0;
  NM_FOR_EACH(i, packs_of(count, n)) {
    Pack<T, n> part = load_part<n>(x, i * n, count, packed);
#pragma unroll
    for (int k = 0; k < n; ++k) part.at[k] = from_double<T>(factor * as_double(part.at[k]));
    store_part(dx, i * n, count, packed, part);
  }
}

}  // namespace

void sum(const Tensor& x, Tensor& y, const ReduceLayout& layout, double scale) {
  dispatch_floating("sum", x.dtype(), [&]<typename T>() {
    sweep<Total>(x.data<T>(), x.device(), layout, Value{}, Store<T>{y.mutable_data<T>(), scale});
  });
}

void sum_grad(const Tensor& dy, Tensor& dx, const ReduceLayout& layout, double scale) {
  dispatch_floating("sum", dy.dtype(), [&]<typename T>() {
    T* to = dx.mutable_data<T>();
    const bool packed = packable(to) && segments_allow(layout, kPack<T>);
    for_each_piece<kPack<T>>(layout, SumGrad<T>{dy.data<T>(), to, static_cast<compute_t<T>>(scale), packed});
  });
}

void variance(const Tensor& x, Tensor& y, Tensor& means, const ReduceLayout& layout, double divisor) {
  dispatch_floating("variance", x.dtype(), [&]<typename T>() {
    double* mean = means.mutable_data<double>();
    const double inverse = 1.0 / static_cast<double>(layout.count());
    sweep<Total>(x.data<T>(), x.device(), layout, Value{}, Store<double>{mean, inverse});
    sweep<Total>(x.data<T>(), x.device(), layout, SquaredGap{mean}, Divided<T>{y.mutable_data<T>(), divisor});
  });
}

void variance_grad(const Tensor& dy, const Tensor& x, const Tensor& means, Tensor& dx,
                   const ReduceLayout& layout, double divisor) {
  dispatch_floating("variance", dy.dtype(), [&]<typename T>() {
    grad_of_input<T>(dy, x, dx, layout, VarianceSlope<T>{means.data<double>(), 2 / divisor});
  });
}

void logsumexp(const Tensor& x, Tensor& y, Tensor& results, const ReduceLayout& layout) {
  dispatch_floating("logsumexp", x.dtype(), [&]<typename T>() {
    Tensor peaks = Tensor::empty(layout.result, Dtype::f64, x.device());
    double* peak = peaks.mutable_data<double>();
    sweep<Largest>(x.data<T>(), x.device(), layout, Value{}, FinitePeak{peak});
    sweep<Total>(x.data<T>(), x.device(), layout, ExpBelow{peak},
                 PeakPlusLog<T>{peak, results.mutable_data<double>(), y.mutable_data<T>()});
  });
}

void logsumexp_grad(const Tensor& dy, const Tensor& x, const Tensor& results, Tensor& dx,
                    const ReduceLayout& layout) {
  dispatch_floating("logsumexp", dy.dtype(), [&]<typename T>() {
    grad_of_input<T>(dy, x, dx, layout, LogSumExpSlope<T>{results.data<double>()});
  });
}

void l2norm(const Tensor& x, Tensor& y, Tensor& norm, const ReduceLayout& layout) {
  dispatch_floating("l2norm", x.dtype(), [&]<typename T>() {
    sweep<Total>(x.data<T>(), x.device(), layout, Squared{},
                 Root<T>{norm.mutable_data<double>(), y.mutable_data<T>()});
  });
}

void l2norm_grad(const Tensor& dy, const Tensor& x, const Tensor& norm, Tensor& dx) {
  dispatch_floating("l2norm", dy.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = dx.mutable_data<T>();
    launch(l2norm_grad_kernel<T>, blocks_for(packs_of(x.numel(), kPack<T>)), kBlock, dy.data<T>(), from,
           norm.data<double>(), to, x.numel(), packable(from, to));
  });
}

}  // namespace noisymix::cuda
