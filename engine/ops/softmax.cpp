#include "engine/ops/softmax.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace {

Vectors vectors_along(const char* op, const Tensor& x, int axis) {
  const int along = normalize_axis(op, axis, x.rank());
  Vectors vectors;
  vectors.size = x.dim(along);
  for (int i = 0; i < along; ++i) vectors.outer *= x.dim(i);
  for (int i = along + 1; i < x.rank(); ++i) vectors.stride *= x.dim(i);
  return vectors;
}

}  // namespace

namespace cpu {
namespace {

/// Calls body(start) for the first element of every vector.
template <typename Body>
void for_each_vector(const Vectors& vectors, Body&& body) {
  if (vectors.size == 0) return;
  const std::int64_t grain = std::max<std::int64_t>(1, (1 << 13) / vectors.size);
  parallel_for(vectors.count(), grain, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t v = begin; v < end; ++v) body(vectors.start(v));
  });
}

template <typename T>
compute_t<T> largest(const T* x, std::int64_t size, std::int64_t stride) {
  using C = compute_t<T>;
  C peak = static_cast<C>(x[0]);
  for (std::int64_t j = 1; j < size; ++j) peak = std::max(peak, static_cast<C>(x[j * stride]));
  return peak;
}

/// y = exp(x - peak) / sum; subtracting the largest element keeps every exponential at or below 1.
void softmax(const Tensor& x, Tensor& y, const Vectors& vectors) {
  dispatch_floating("softmax", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const std::int64_t size = vectors.size, stride = vectors.stride;
    for_each_vector(vectors, [=](std::int64_t start) {
      const T* in = from + start;
      T* out = to + start;
      const C peak = largest(in, size, stride);
      double total = 0;
      for (std::int64_t j = 0; j < size; ++j) {
        const C e = std::exp(static_cast<C>(in[j * stride]) - peak);
        total += e;
        if constexpr (std::is_same_v<T, C>) out[j * stride] = e;
      }
      const C scale = static_cast<C>(1 / total);
      for (std::int64_t j = 0; j < size; ++j) {
        if constexpr (std::is_same_v<T, C>)
          out[j * stride] *= scale;
        else
          out[j * stride] = T(std::exp(static_cast<C>(in[j * stride]) - peak) * scale);  // rounds only once
      }
    });
  });
}

/// dx = y (dy - sum y dy).
void softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors) {
  dispatch_floating("softmax", dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T *probability = y.data<T>(), *gradient = dy.data<T>();
    T* to = dx.mutable_data<T>();
    const std::int64_t size = vectors.size, stride = vectors.stride;
    for_each_vector(vectors, [=](std::int64_t start) {
      const T *p = probability + start, *g = gradient + start;
      T* out = to + start;
      double dot = 0;
      for (std::int64_t j = 0; j < size; ++j)
        dot += static_cast<double>(static_cast<C>(p[j * stride])) *
               static_cast<double>(static_cast<C>(g[j * stride]));
      for (std::int64_t j = 0; j < size; ++j)
        out[j * stride] =
            T(static_cast<C>(static_cast<C>(p[j * stride]) * (static_cast<C>(g[j * stride]) - dot)));
    });
  });
}

/// y = (x - peak) - log sum exp(x - peak), rounded once.
void log_softmax(const Tensor& x, Tensor& y, const Vectors& vectors) {
  dispatch_floating("log_softmax", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const std::int64_t size = vectors.size, stride = vectors.stride;
    for_each_vector(vectors, [=](std::int64_t start) {
      const T* in = from + start;
      T* out = to + start;
      const C peak = largest(in, size, stride);
      double total = 0;
      for (std::int64_t j = 0; j < size; ++j) total += std::exp(static_cast<C>(in[j * stride]) - peak);
      const double shift = static_cast<double>(peak) + std::log(total);
      for (std::int64_t j = 0; j < size; ++j)
        out[j * stride] = T(static_cast<C>(static_cast<double>(static_cast<C>(in[j * stride])) - shift));
    });
  });
}

/// dx = dy - exp(y) sum dy.
void log_softmax_grad(const Tensor& dy, const Tensor& y, Tensor& dx, const Vectors& vectors) {
  dispatch_floating("log_softmax", dy.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T *log_probability = y.data<T>(), *gradient = dy.data<T>();
    T* to = dx.mutable_data<T>();
    const std::int64_t size = vectors.size, stride = vectors.stride;
    for_each_vector(vectors, [=](std::int64_t start) {
      const T *l = log_probability + start, *g = gradient + start;
      T* out = to + start;
      double total = 0;
      for (std::int64_t j = 0; j < size; ++j) total += static_cast<C>(g[j * stride]);
      for (std::int64_t j = 0; j < size; ++j) {
        const double p = std::exp(static_cast<C>(l[j * stride]));
        out[j * stride] = T(static_cast<C>(static_cast<C>(g[j * stride]) - p * total));
      }
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel softmax_kernel{"softmax", cpu::softmax, NM_CUDA(cuda::softmax)};
constexpr Kernel softmax_grad_kernel{"softmax", cpu::softmax_grad, NM_CUDA(cuda::softmax_grad)};
constexpr Kernel log_softmax_kernel{"log_softmax", cpu::log_softmax, NM_CUDA(cuda::log_softmax)};
constexpr Kernel log_softmax_grad_kernel{"log_softmax", cpu::log_softmax_grad,
                                         NM_CUDA(cuda::log_softmax_grad)};

}  // namespace

Tensor softmax(const Tensor& x, int axis) {
  const Vectors vectors = vectors_along("softmax", x, axis);
  Tensor y = empty_like(x);
  softmax_kernel(x, y, vectors);
  return record("softmax", {x}, y, [y = y.detach(), vectors](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    softmax_grad_kernel(dy, y, dx, vectors);
    return Grads{dx};
  });
}

Tensor log_softmax(const Tensor& x, int axis) {
  const Vectors vectors = vectors_along("log_softmax", x, axis);
  Tensor y = empty_like(x);
  log_softmax_kernel(x, y, vectors);
  return record("log_softmax", {x}, y, [y = y.detach(), vectors](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    log_softmax_grad_kernel(dy, y, dx, vectors);
    return Grads{dx};
  });
}

}  // namespace noisymix
