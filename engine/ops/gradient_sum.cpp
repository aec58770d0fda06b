#include "engine/ops/gradient_sum.h"

#include <atomic>
#include <cstring>
#include <limits>

#include "engine/backend.h"
#include "engine/cpu/parallel.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {

Tensor non_finite(const std::vector<Tensor>& tensors) {
  NM_CHECK(!tensors.empty(), "[non_finite] expects at least one tensor");
  const Device device = tensors[0].device();
  Tensor found = Tensor::zeros({}, Dtype::i32, device);
#ifdef NOISYMIX_CUDA
  if (!device.is_cpu()) {
    select_device(device);
    cuda::find_non_finite(tensors, found);
    return found;
  }
#endif
  for (const Tensor& x : tensors)
    if (x.numel() > 0 && !cpu::finite(x)) found.mutable_data<std::int32_t>()[0] = 1;
  return found;
}

}  // namespace noisymix

namespace noisymix::cpu {
namespace {

constexpr std::int64_t kGrain = 1 << 16;

template <typename T, typename C = compute_t<T>>
[[gnu::always_inline]] inline void add_loop(T* sum, const T* a, const T* b, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) sum[i] = T(static_cast<C>(a[i]) + static_cast<C>(b[i]));
}

/// Sets `found` when the exponent of any element has all bits set: an infinity or NaN.
template <typename Bits>
[[gnu::always_inline]] inline void non_finite_loop(const Bits* x, std::int64_t n, Bits exponent,
                                                   Bits& found) {
  Bits any = 0;
  for (std::int64_t i = 0; i < n; ++i)
    any = static_cast<Bits>(any | static_cast<Bits>((x[i] & exponent) == exponent));
  found = any;
}

#define NM_ELEMENT_LOOPS(suffix, T, Bits)                                                          \
  NM_VECTORISED(add_##suffix, (T * sum, const T* a, const T* b, std::int64_t n), (sum, a, b, n)) { \
    add_loop(sum, a, b, n);                                                                        \
  }                                                                                                \
  NM_VECTORISED(non_finite_##suffix, (const Bits* x, std::int64_t n, Bits exponent, Bits& found),  \
                (x, n, exponent, found)) {                                                         \
    non_finite_loop(x, n, exponent, found);                                                        \
  }                                                                                                \
  void add_run(T* sum, const T* a, const T* b, std::int64_t n) {                                   \
    add_##suffix(sum, a, b, n);                                                                    \
  }                                                                                                \
  bool finite_run(const T* x, std::int64_t n) {                                                    \
    Bits exponent = 0, found = 0;                                                                  \
    const T infinity(std::numeric_limits<compute_t<T>>::infinity());                               \
    std::memcpy(&exponent, &infinity, sizeof exponent);                                            \
    non_finite_##suffix(reinterpret_cast<const Bits*>(x), n, exponent, found);                     \
    return found == 0;                                                                             \
  }
NM_ELEMENT_LOOPS(f32, float, std::uint32_t)
NM_ELEMENT_LOOPS(f64, double, std::uint64_t)
NM_ELEMENT_LOOPS(bf16, bfloat16, std::uint16_t)
#undef NM_ELEMENT_LOOPS

}  // namespace

void add_gradients(const Tensor& a, const Tensor& b, Tensor& sum) {
  dispatch_floating("backward", a.dtype(), [&]<typename T>() {
    const T *left = a.data<T>(), *right = b.data<T>();
    T* to = sum.mutable_data<T>();
    parallel_for(a.numel(), kGrain, [=](std::int64_t begin, std::int64_t end) {
      add_run(to + begin, left + begin, right + begin, end - begin);
    });
  });
}

bool finite(const Tensor& x) {
  return dispatch_floating("all_finite", x.dtype(), [&]<typename T>() {
    const T* values = x.data<T>();
    std::atomic<bool> all = true;
    parallel_for(x.numel(), kGrain, [&](std::int64_t begin, std::int64_t end) {
      if (all && !finite_run(values + begin, end - begin)) all = false;
    });
    return all.load();
  });
}

}  // namespace noisymix::cpu
