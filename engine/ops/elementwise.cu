#include "engine/ops/elementwise.h"

#include "engine/cuda/parts.h"
#include "engine/ops/binary_math.h"
#include "engine/ops/broadcast.h"
#include "engine/ops/elementwise_math.h"

namespace noisymix::cuda {
namespace {

constexpr int kMaxAxes = 8;

/// A BroadcastPlan as kernels take it. A thread makes N neighbouring elements of the output.
template <int Operands>
struct Plan {
  struct Axis {
    std::int64_t size, strides[Operands];
  };
  Axis outer[kMaxAxes];  // slowest first
  Axis inner;
  int outer_count;
  bool packed_output;
  bool packs_in_rows;     // no pack of the output crosses a row
  bool packed[Operands];  // then: operand k moves in packs too
};

/// Where element `index` of the output finds operand k.
template <int Operands>
__device__ inline std::int64_t offset_of(const Plan<Operands>& plan, int k, std::int64_t index) {
  if (plan.outer_count == 0) return index * plan.inner.strides[k];
  std::int64_t row = index / plan.inner.size;
  std::int64_t offset = (index - row * plan.inner.size) * plan.inner.strides[k];
  for (int i = plan.outer_count - 1; i > 0; --i) {
    const std::int64_t next = row / plan.outer[i].size;
    offset += (row - next * plan.outer[i].size) * plan.outer[i].strides[k];
    row = next;
  }
  return offset + row * plan.outer[0].strides[k];
}

/// Operand k for elements first .. first + N - 1 of an output of `count`.
template <int N, typename T, int Operands>
__device__ inline Pack<T, N> load_operand(const Plan<Operands>& plan, int k, const T* from,
                                          std::int64_t first, std::int64_t count) {
  Pack<T, N> result;
  if (plan.packs_in_rows && first + N <= count) {
    from += offset_of(plan, k, first);
    if (plan.packed[k]) return load_pack<N>(from);
    const std::int64_t step = plan.inner.strides[k];
#pragma unroll
    for (int e = 0; e < N; ++e) result.at[e] = from[e * step];
    return result;
  }
#pragma unroll
  for (int e = 0; e < N; ++e) result.at[e] = first + e < count ? from[offset_of(plan, k, first + e)] : T{};
  return result;
}

/// The plan of an output; fill in packed_output and packed with set_packed().
template <int N, std::size_t Operands>
Plan<static_cast<int>(Operands)> make_plan(const char* op, const Shape& output,
                                           const std::array<Shape, Operands>& shapes) {
  const BroadcastPlan<Operands> from = plan_broadcast<Operands>(output, shapes);
  NM_CHECK(from.outer.size() <= kMaxAxes, "[", op, "] broadcasts over more than ", kMaxAxes + 1,
           " alternating axes, which has no CUDA kernel; output ", output);
  Plan<static_cast<int>(Operands)> plan{};
  plan.outer_count = static_cast<int>(from.outer.size());
  const auto take = [](auto& to, const auto& axis) {
    to.size = axis.size;
    for (std::size_t k = 0; k < Operands; ++k) to.strides[k] = axis.strides[k];
  };
  for (std::size_t i = 0; i < from.outer.size(); ++i) take(plan.outer[i], from.outer[i]);
  take(plan.inner, from.inner);
  plan.packs_in_rows = from.outer.empty() || from.inner.size % N == 0;
  return plan;
}

/// Operand k is read in packs where every row of it begins at a multiple of N.
template <int N, typename T, int Operands>
void set_packed(Plan<Operands>& plan, int k, const T* operand) {
  bool packed = plan.inner.strides[k] == 1 && aligned_for<N>(operand);
  for (int i = 0; i < plan.outer_count; ++i) packed = packed && plan.outer[i].strides[k] % N == 0;
  plan.packed[k] = packed;
}

template <typename T, typename F>
__global__ void unary_kernel(const T* __restrict__ x, T* __restrict__ y, std::int64_t count, bool packed,
                             F f) {
  constexpr int n = kPack<T>;
  NM_FOR_EACH(i, packs_of(count, n)) {
    const Pack<T, n> in = load_part<n>(x, i * n, count, packed);
    Pack<T, n> out;
#pragma unroll
    for (int k = 0; k < n; ++k) out.at[k] = T(f.value(value_of(in.at[k])));
    store_part(y, i * n, count, packed, out);
  }
}

template <typename T, typename F>
__global__ void unary_grad_kernel(const T* __restrict__ dy, const T* __restrict__ saved, T* __restrict__ dx,
                                  std::int64_t count, bool packed, F f) {
  constexpr int n = kPack<T>;
  NM_FOR_EACH(i, packs_of(count, n)) {
    const Pack<T, n> gradient = load_part<n>(dy, i * n, count, packed);
    const Pack<T, n> in = load_part<n>(saved, i * n, count, packed);
    Pack<T, n> out;
#pragma unroll
    for (int k = 0; k < n; ++k) out.at[k] = T(f.gradient(value_of(in.at[k]), value_of(gradient.at[k])));
    store_part(dx, i * n, count, packed, out);
  }
}

template <typename T, typename F>
__global__ void binary_kernel(const T* __restrict__ a, const T* __restrict__ b, T* __restrict__ y,
                              std::int64_t count, Plan<2> plan, F f) {
  constexpr int n = kPack<T>;
  NM_FOR_EACH(i, packs_of(count, n)) {
    const Pack<T, n> left = load_operand<n>(plan, 0, a, i * n, count);
    const Pack<T, n> right = load_operand<n>(plan, 1, b, i * n, count);
    Pack<T, n> out;
#pragma unroll
    for (int k = 0; k < n; ++k) out.at[k] = T(f.value(value_of(left.at[k]), value_of(right.at[k])));
    store_part(y, i * n, count, plan.packed_output, out);
  }
}

template <bool ToA, typename T, typename F>
__global__ void binary_grad_kernel(const T* __restrict__ dy, const T* __restrict__ a, const T* __restrict__ b,
                                   T* __restrict__ dx, std::int64_t count, Plan<2> plan, F f) {
  constexpr int n = kPack<T>;
  NM_FOR_EACH(i, packs_of(count, n)) {
    const Pack<T, n> gradient = load_part<n>(dy, i * n, count, plan.packed_output);
    const Pack<T, n> left = load_operand<n>(plan, 0, a, i * n, count);
    const Pack<T, n> right = load_operand<n>(plan, 1, b, i * n, count);
    Pack<T, n> out;
#pragma unroll
    for (int k = 0; k < n; ++k) {
      const auto p = value_of(left.at[k]), q = value_of(right.at[k]), g = value_of(gradient.at[k]);
      out.at[k] = T(ToA ? f.gradient_a(p, q, g) : f.gradient_b(p, q, g));
    }
    store_part(dx, i * n, count, plan.packed_output, out);
  }
}

template <typename T>
__global__ void where_kernel(const std::uint8_t* __restrict__ condition, const T* __restrict__ a,
                             const T* __restrict__ b, T* __restrict__ y, std::int64_t count, Plan<3> plan) {
  constexpr int n = kPack<T>;
  NM_FOR_EACH(i, packs_of(count, n)) {
    const Pack<std::uint8_t, n> choice = load_operand<n>(plan, 0, condition, i * n, count);
    const Pack<T, n> left = load_operand<n>(plan, 1, a, i * n, count);
    const Pack<T, n> right = load_operand<n>(plan, 2, b, i * n, count);
    Pack<T, n> out;
#pragma unroll
    for (int k = 0; k < n; ++k) out.at[k] = choice.at[k] ? left.at[k] : right.at[k];
    store_part(y, i * n, count, plan.packed_output, out);
  }
}

template <bool ToA, typename F>
void binary_grad(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& dx, F f) {
  dispatch_floating(F::kName, dy.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T *from_a = a.data<T>(), *from_b = b.data<T>(), *gradient = dy.data<T>();
    T* to = dx.mutable_data<T>();
    Plan<2> plan = make_plan<n, 2>(F::kName, dy.shape(), {a.shape(), b.shape()});
    set_packed<n>(plan, 0, from_a);
    set_packed<n>(plan, 1, from_b);
    plan.packed_output = packable(gradient, to);
    launch(binary_grad_kernel<ToA, T, F>, blocks_for(packs_of(dy.numel(), n)), kBlock, gradient, from_a,
           from_b, to, dy.numel(), plan, f);
  });
}

}  // namespace

template <typename F>
void unary(const Tensor& x, Tensor& y, F f) {
  dispatch_floating(F::kName, x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    launch(unary_kernel<T, F>, blocks_for(packs_of(x.numel(), kPack<T>)), kBlock, from, to, x.numel(),
           packable(from, to), f);
  });
}

template <typename F>
void unary_grad(const Tensor& dy, const Tensor& saved, Tensor& dx, F f) {
  dispatch_floating(F::kName, dy.dtype(), [&]<typename T>() {
    const T *gradient = dy.data<T>(), *from = saved.data<T>();
    T* to = dx.mutable_data<T>();
    launch(unary_grad_kernel<T, F>, blocks_for(packs_of(dy.numel(), kPack<T>)), kBlock, gradient, from, to,
           dy.numel(), packable(gradient, from, to), f);
  });
}

template <typename F>
void binary(const Tensor& a, const Tensor& b, Tensor& y, F f) {
  dispatch_floating(F::kName, y.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const T *from_a = a.data<T>(), *from_b = b.data<T>();
    T* to = y.mutable_data<T>();
    Plan<2> plan = make_plan<n, 2>(F::kName, y.shape(), {a.shape(), b.shape()});
    set_packed<n>(plan, 0, from_a);
    set_packed<n>(plan, 1, from_b);
    plan.packed_output = packable(to);
    launch(binary_kernel<T, F>, blocks_for(packs_of(y.numel(), n)), kBlock, from_a, from_b, to, y.numel(),
           plan, f);
  });
}

template <typename F>
void binary_grad_a(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& da, F f) {
  binary_grad<true>(dy, a, b, da, f);
}

template <typename F>
void binary_grad_b(const Tensor& dy, const Tensor& a, const Tensor& b, Tensor& db, F f) {
  binary_grad<false>(dy, a, b, db, f);
}

void where(const Tensor& condition, const Tensor& a, const Tensor& b, Tensor& y) {
  dispatch_floating("where", y.dtype(), [&]<typename T>() {
    constexpr int n = kPack<T>;
    const std::uint8_t* choice = condition.data<std::uint8_t>();
    const T *from_a = a.data<T>(), *from_b = b.data<T>();
    T* to = y.mutable_data<T>();
    Plan<3> plan = make_plan<n, 3>("where", y.shape(), {condition.shape(), a.shape(), b.shape()});
    set_packed<n>(plan, 0, choice);
    set_packed<n>(plan, 1, from_a);
    set_packed<n>(plan, 2, from_b);
    plan.packed_output = packable(to);
    launch(where_kernel<T>, blocks_for(packs_of(y.numel(), n)), kBlock, choice, from_a, from_b, to, y.numel(),
           plan);
  });
}

#define NM_INSTANTIATE(function, Functor)                                    \
  template void unary<math::Functor>(const Tensor&, Tensor&, math::Functor); \
  template void unary_grad<math::Functor>(const Tensor&, const Tensor&, Tensor&, math::Functor);
NM_UNARY_FUNCTIONS(NM_INSTANTIATE)
NM_UNARY_FUNCTIONS_WITH_PARAMETERS(NM_INSTANTIATE)
#undef NM_INSTANTIATE

#define NM_INSTANTIATE(function, Functor)                                                          \
  template void binary<math::Functor>(const Tensor&, const Tensor&, Tensor&, math::Functor);       \
  template void binary_grad_a<math::Functor>(const Tensor&, const Tensor&, const Tensor&, Tensor&, \
                                             math::Functor);                                       \
  template void binary_grad_b<math::Functor>(const Tensor&, const Tensor&, const Tensor&, Tensor&, \
                                             math::Functor);
NM_BINARY_FUNCTIONS(NM_INSTANTIATE)
#undef NM_INSTANTIATE

}  // namespace noisymix::cuda
