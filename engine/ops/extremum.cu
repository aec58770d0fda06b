#include "engine/ops/reduce_kernels.h"

namespace noisymix::cuda {
namespace {

struct StorePosition {
  std::int64_t* y;
  __device__ void operator()(std::int64_t r, double total) const {
    y[r] = total == HUGE_VAL ? 0 : static_cast<std::int64_t>(total);
  }
};

/// Position where the element equals its result, else infinity: the smallest is the first. Exact up to 2^53
/// elements.
template <typename T>
struct PositionOf {
  const T* best;
  bool nan_equals;
  __device__ double operator()(T value, Element element) const {
    const auto wanted = value_of(best[element.result]), v = value_of(value);
    const bool equal = v == wanted || (nan_equals && v != v && wanted != wanted);
    return equal ? static_cast<double>(element.position) : HUGE_VAL;
  }
};

template <typename T>
struct CountOf {
  const T* best;
  __device__ double operator()(T value, Element element) const {
    return value_of(value) == value_of(best[element.result]) ? 1.0 : 0.0;
  }
};

template <typename T>
struct ToFirst {
  const T* dy;
  const double* first;
  T* dx;
  bool packed;
  __device__ void operator()(Piece p) const {
    Pack<T, kPack<T>> out;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      out.at[k] = T(0.0f);
      if (p.first + k >= p.length) continue;
      const std::int64_t r = p.result + k * p.step;
      if (static_cast<double>(p.position + k * p.stride) == first[r]) out.at[k] = dy[r];
    }
    store_part(dx + p.segment, p.first, p.length, packed, out);
  }
};

template <typename T>
struct ToEqual {
  const T *dy, *x, *best;
  const double* count;
  T* dx;
  bool packed;
  __device__ void operator()(Piece p) const {
    const Pack<T, kPack<T>> in = load_part<kPack<T>>(x + p.segment, p.first, p.length, packed);
    Pack<T, kPack<T>> out;
#pragma unroll
    for (int k = 0; k < kPack<T>; ++k) {
      out.at[k] = T(0.0f);
      if (p.first + k >= p.length) continue;
      const std::int64_t r = p.result + k * p.step;
      if (value_of(in.at[k]) == value_of(best[r])) out.at[k] = from_double<T>(as_double(dy[r]) / count[r]);
    }
    store_part(dx + p.segment, p.first, p.length, packed, out);
  }
};

template <typename Join>
void extremum(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  dispatch_floating("extremum", x.dtype(), [&]<typename T>() {
    sweep<Join>(x.data<T>(), x.device(), layout, Value{}, Store<T>{y.mutable_data<T>()});
  });
}

}  // namespace

void maxima(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  extremum<Largest>(x, y, layout);
}
void minima(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  extremum<Smallest>(x, y, layout);
}

void extremum_grad_first(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                         const ReduceLayout& layout) {
  Tensor positions = Tensor::empty(layout.result, Dtype::f64, x.device());
  double* first = positions.mutable_data<double>();
  dispatch_floating("extremum", dy.dtype(), [&]<typename T>() {
    T* to = dx.mutable_data<T>();
    sweep<Smallest>(x.data<T>(), x.device(), layout, PositionOf<T>{y.data<T>(), false}, Store<double>{first});
    const bool packed = packable(to) && segments_allow(layout, kPack<T>);
    for_each_piece<kPack<T>>(layout, ToFirst<T>{dy.data<T>(), first, to, packed});
  });
}

void extremum_grad_even(const Tensor& dy, const Tensor& x, const Tensor& y, Tensor& dx,
                        const ReduceLayout& layout) {
  Tensor counts = Tensor::empty(layout.result, Dtype::f64, x.device());
  double* count = counts.mutable_data<double>();
  dispatch_floating("extremum", dy.dtype(), [&]<typename T>() {
    const T *in = x.data<T>(), *best = y.data<T>();
    T* to = dx.mutable_data<T>();
    sweep<Total>(in, x.device(), layout, CountOf<T>{best}, Store<double>{count});
    const bool packed = packable(in, to) && segments_allow(layout, kPack<T>);
    for_each_piece<kPack<T>>(layout, ToEqual<T>{dy.data<T>(), in, best, count, to, packed});
  });
}

void argmax(const Tensor& x, Tensor& y, const ReduceLayout& layout) {
  dispatch_floating("argmax", x.dtype(), [&]<typename T>() {
    Tensor peaks = Tensor::empty(layout.result, x.dtype(), x.device());
    T* peak = peaks.mutable_data<T>();
    sweep<Largest>(x.data<T>(), x.device(), layout, Value{}, Store<T>{peak});
    sweep<Smallest>(x.data<T>(), x.device(), layout, PositionOf<T>{peak, true},
                    StorePosition{y.mutable_data<std::int64_t>()});
  });
}

}  // namespace noisymix::cuda
