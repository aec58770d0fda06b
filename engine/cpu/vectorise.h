// One plain loop, compiled once per instruction set and chosen at run time.
//
// The library is built for the oldest x86-64, so that one binary runs everywhere; a loop written the ordinary
// way uses 4 floats at a time. Declared through this macro, the same source is also compiled for AVX2 and
// AVX-512:
//
//   NM_VECTORISED(scale_into, (float* y, const float* x, std::int64_t n, float factor), (y, x, n, factor)) {
//     for (std::int64_t i = 0; i < n; ++i) y[i] = x[i] * factor;
//   }
//
// defines void scale_into(float*, const float*, std::int64_t, float). Call it from inside a parallel_for body
// with a few thousand elements at a time: each call costs one predictable switch. Rules for the body:
//   - loops the compiler can vectorise: over independent elements (channels, not a running sum);
//   - calls only to functions that are inlined; lambdas and calls to other files are compiled without the
//   wider set;
//   - no contraction happens (-ffp-contract=off), so every level gives the same bits.
// Pointers to arrays that do not overlap should be NM_RESTRICT. Function multi-versioning by the compiler
// (target_clones) is not used: it resolves symbols before sanitizers are ready, and crashes under them.
#pragma once

#include "engine/cpu/cpu_features.h"

#define NM_RESTRICT __restrict__

#if defined(__x86_64__)
#define NM_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define NM_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl")))
#define NM_VECTORISED(name, parameters, arguments)                          \
  static inline __attribute__((always_inline)) void name##_body parameters; \
  [[maybe_unused]] NM_TARGET_AVX512 static void name##_avx512 parameters {  \
    name##_body arguments;                                                  \
  }                                                                         \
  [[maybe_unused]] NM_TARGET_AVX2 static void name##_avx2 parameters {      \
    name##_body arguments;                                                  \
  }                                                                         \
  [[maybe_unused]] static void name parameters {                            \
    switch (::noisymix::cpu::vector_isa()) {                                \
      case ::noisymix::cpu::Isa::avx512:                                    \
        return name##_avx512 arguments;                                     \
      case ::noisymix::cpu::Isa::avx2:                                      \
        return name##_avx2 arguments;                                       \
      default:                                                              \
        return name##_body arguments;                                       \
    }                                                                       \
  }                                                                         \
  static inline void name##_body parameters
#else
#define NM_VECTORISED(name, parameters, arguments) [[maybe_unused]] static void name parameters
#endif
