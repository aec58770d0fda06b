// A pair of function pointers, CPU and CUDA, held beside the op that calls it.
#pragma once

#include <type_traits>

#include "engine/profile.h"
#include "engine/tensor.h"

#ifdef NOISYMIX_CUDA
#define NM_CUDA(function) &function
#else
#define NM_CUDA(function) nullptr
#endif

namespace noisymix {

/// constexpr Kernel kernel{"softmax", cpu::softmax, NM_CUDA(cuda::softmax)}; kernel(x, y) picks by x's
/// device.
template <typename Return, typename... Args>
struct Kernel {
  const char* op;
  Return (*cpu)(Args...);
  Return (*cuda)(Args...);
  const char* part;  // of the op, for profiles: "weight gradient"; null where there is only one

  constexpr Kernel(const char* name, Return (*on_cpu)(Args...), std::nullptr_t, const char* which = nullptr)
      : op(name), cpu(on_cpu), cuda(nullptr), part(which) {}
  constexpr Kernel(const char* name, Return (*on_cpu)(Args...), Return (*on_cuda)(Args...),
                   const char* which = nullptr)
      : op(name), cpu(on_cpu), cuda(on_cuda), part(which) {}

  /// The first argument must be a Tensor; its device decides.
  template <typename First, typename... Rest>
  Return operator()(First&& first, Rest&&... rest) const {
    const bool on_cpu = first.device().is_cpu();
    NM_CHECK_AS(DeviceError, on_cpu || cuda != nullptr, "[", op, "] has no CUDA kernel in this build");
    ProfileScope scope(op, part);
    scope.add_argument(first);
    (scope.add_argument(rest), ...);
    if (!on_cpu) scope.on_device(first.device());
    if constexpr (std::is_same_v<Return, Tensor>) {
      Tensor result = (on_cpu ? cpu : cuda)(std::forward<First>(first), std::forward<Rest>(rest)...);
      scope.add_argument(result);
      return result;
    } else {
      return (on_cpu ? cpu : cuda)(std::forward<First>(first), std::forward<Rest>(rest)...);
    }
  }
};

template <typename Return, typename... Args>
Kernel(const char*, Return (*)(Args...), std::nullptr_t, const char* = nullptr) -> Kernel<Return, Args...>;
template <typename Return, typename... Args>
Kernel(const char*, Return (*)(Args...), Return (*)(Args...), const char* = nullptr)
    -> Kernel<Return, Args...>;

}  // namespace noisymix
