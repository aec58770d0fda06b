#include "engine/ops/dropout.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/kernel.h"

namespace noisymix {
namespace {

/// Which elements survive: those whose 32-bit word is at least p * 2^32. Element i uses word i % 4 of block i
/// / 4.
struct Mask {
  Key key;
  std::uint64_t threshold;
  double scale;  ///< 1 / (1 - p): the mean stays

  Mask(Key mask_key, double p)
      : key(mask_key), threshold(static_cast<std::uint64_t>(std::llround(p * 0x1p32))), scale(1 / (1 - p)) {}
};

}  // namespace

namespace cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 14;  // a multiple of 4, so that chunks begin with a fresh block

/// y = x where the mask keeps it, scaled, else 0. Its own gradient: dx is the same function of dy.
void dropout(const Tensor& x, Tensor& y, const Mask& mask) {
  dispatch_floating("dropout", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const C scale = static_cast<C>(mask.scale);
    parallel_for(x.numel(), kGrain, [&mask, from, to, scale](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; i += 4) {
        const auto words = mask.key.block(static_cast<std::uint64_t>(i / 4));
        for (std::int64_t k = 0; k < 4 && i + k < end; ++k) {
          const bool kept = words[static_cast<std::size_t>(k)] >= mask.threshold;
          to[i + k] = T(kept ? static_cast<C>(from[i + k]) * scale : C(0));
        }
      }
    });
  });
}

/// The same with one word per row of the first axis.
void drop_path(const Tensor& x, Tensor& y, const Mask& mask) {
  const std::int64_t rows = x.dim(0), size = rows > 0 ? x.numel() / rows : 0;
  dispatch_floating("drop_path", x.dtype(), [&]<typename T>() {
    using C = compute_t<T>;
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const C scale = static_cast<C>(mask.scale);
    parallel_for(x.numel(), kGrain, [&mask, from, to, scale, size](std::int64_t begin, std::int64_t end) {
      while (begin < end) {
        const std::int64_t row = begin / size, stop = std::min(end, (row + 1) * size);
        const bool kept =
            mask.key.block(static_cast<std::uint64_t>(row / 4))[static_cast<std::size_t>(row % 4)] >=
            mask.threshold;
        for (std::int64_t i = begin; i < stop; ++i) to[i] = T(kept ? static_cast<C>(from[i]) * scale : C(0));
        begin = stop;
      }
    });
  });
}

}  // namespace
}  // namespace cpu

namespace {

constexpr Kernel dropout_kernel{"dropout", cpu::dropout, NM_CUDA(cuda::dropout)};
constexpr Kernel drop_path_kernel{"drop_path", cpu::drop_path, NM_CUDA(cuda::drop_path)};

template <typename MaskKernel>
Tensor masked(const char* op, const MaskKernel& kernel, const Tensor& x, double p, Key key) {
  NM_CHECK(p >= 0 && p < 1, "[", op, "] expects a probability of at least 0 and below 1, got ", p);
  if (p == 0) return x;
  const Mask mask(key, p);
  Tensor y = empty_like(x);
  kernel(x, y, mask);
  return record(op, {x}, y, [&kernel, mask](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    kernel(dy, dx, mask);
    return Grads{dx};
  });
}

}  // namespace

Tensor dropout(const Tensor& x, double p, Key key) {
  return masked("dropout", dropout_kernel, x, p, key);
}

Tensor drop_path(const Tensor& x, double p, Key key) {
  NM_CHECK(x.rank() >= 1, "[drop_path] expects at least one axis");
  return masked("drop_path", drop_path_kernel, x, p, key);
}

}  // namespace noisymix
