// Vectors of doubles as wide as the instruction set has them; wider ones would be taken apart in memory.
#pragma once

#include "engine/cpu/cpu_features.h"

namespace noisymix {

/// For code compiled for AVX-512.
struct EightDoubles {
  static constexpr int kLanes = 8;
  using type = double __attribute__((vector_size(64)));
  using at = double __attribute__((vector_size(64), aligned(8), may_alias));  ///< anywhere in memory
  using floats_at = float __attribute__((vector_size(32), aligned(4), may_alias));
};
/// For all other code.
struct FourDoubles {
  static constexpr int kLanes = 4;
  using type = double __attribute__((vector_size(32)));
  using at = double __attribute__((vector_size(32), aligned(8), may_alias));
  using floats_at = float __attribute__((vector_size(16), aligned(4), may_alias));
};

/// Which of the two.
inline bool has_eight_doubles() {
  return cpu::vector_isa() == cpu::Isa::avx512;
}

}  // namespace noisymix
