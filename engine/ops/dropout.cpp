#include "engine/ops/dropout.h"

#include <algorithm>
#include <cstring>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"
#include "engine/kernel.h"
#include "engine/philox.h"
#ifdef NOISYMIX_CUDA
#include "engine/cuda/step_values.h"
#endif

namespace noisymix {
namespace cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 14;  // a multiple of 4, so that chunks begin with a fresh block

constexpr std::int64_t kBlocks = 128;  // whose words are made at a time

/// The words of blocks first .. first + kBlocks - 1 in order; the low counter word must not wrap on the way.
NM_VECTORISED(make_words, (std::uint32_t * NM_RESTRICT words, std::uint64_t key, std::uint64_t first),
              (words, key, first)) {
  const auto low = static_cast<std::uint32_t>(first), high = static_cast<std::uint32_t>(first >> 32);
  for (std::uint32_t j = 0; j < kBlocks; ++j)
    philox_block(key, low + j, high, words[4 * j], words[4 * j + 1], words[4 * j + 2], words[4 * j + 3]);
}

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void keep_loop(const T* x, const std::uint32_t* words, std::int64_t n,
                                             std::uint32_t threshold, C scale, T* NM_RESTRICT y) {
  for (std::int64_t i = 0; i < n; ++i) {
    const C scaled = static_cast<C>(x[i]) * scale;
    y[i] = T(words[i] >= threshold ? scaled : C(0));
  }
}

#define NM_KEEP(suffix, T, C)                                                                             \
  NM_VECTORISED(keep_##suffix,                                                                            \
                (const T* x, const std::uint32_t* words, std::int64_t n, std::uint32_t t, C scale, T* y), \
                (x, words, n, t, scale, y)) {                                                             \
    keep_loop(x, words, n, t, scale, y);                                                                  \
  }                                                                                                       \
  [[maybe_unused]] void keep(const T* x, const std::uint32_t* words, std::int64_t n, std::uint32_t t,     \
                             C scale, T* y) {                                                             \
    keep_##suffix(x, words, n, t, scale, y);                                                              \
  }
NM_KEEP(f32, float, float)
NM_KEEP(f64, double, double)
NM_KEEP(bf16, bfloat16, float)
#undef NM_KEEP

/// y = x where the mask keeps it, scaled, else 0. Its own gradient: dx is the same function of dy.
void dropout(const Tensor& x, Tensor& y, const DropMask& mask) {
  static_assert(kGrain % (4 * kBlocks) == 0);
  dispatch_floating("dropout", x.dtype(), [&]<typename T>() {
    const T* from = x.data<T>();
    T* to = y.mutable_data<T>();
    const auto scale = static_cast<compute_t<T>>(mask.scale);
    parallel_for(x.numel(), kGrain, [&mask, from, to, scale](std::int64_t begin, std::int64_t end) {
      alignas(64) std::uint32_t words[4 * kBlocks];
      for (std::int64_t i = begin; i < end; i += 4 * kBlocks) {
        make_words(words, mask.key.words(), static_cast<std::uint64_t>(i / 4));
        keep(from + i, words, std::min(4 * kBlocks, end - i), mask.threshold, scale, to + i);
      }
    });
  });
}

/// The same with one word per row of the first axis.
void drop_path(const Tensor& x, Tensor& y, const DropMask& mask) {
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
  DropMask mask(key, p);
#ifdef NOISYMIX_CUDA
  if (!x.device().is_cpu()) {
    const std::vector<std::byte> words = pack_dropout(key);
    mask.words = cuda::upload("dropout", words.data(), words.size(), x.device());
  }
#endif
  Tensor y = empty_like(x);
  kernel(x, y, mask);
  return record(op, {x}, y, [&kernel, mask](const Tensor& dy) {
    Tensor dx = empty_like(dy);
    kernel(dy, dx, mask);
    return Grads{dx};
  });
}

}  // namespace

std::vector<std::byte> pack_dropout(Key key) {
  const std::uint64_t words = key.words();
  std::vector<std::byte> bytes(sizeof words);
  std::memcpy(bytes.data(), &words, sizeof words);
  return bytes;
}

Tensor dropout(const Tensor& x, double p, Key key) {
  return masked("dropout", dropout_kernel, x, p, key);
}

Tensor drop_path(const Tensor& x, double p, Key key) {
  NM_CHECK(x.rank() >= 1, "[drop_path] expects at least one axis");
  return masked("drop_path", drop_path_kernel, x, p, key);
}

}  // namespace noisymix
