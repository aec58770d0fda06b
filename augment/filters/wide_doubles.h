// Vectors of doubles as wide as the instruction set has them; wider ones would be taken apart in memory.
#pragma once

#include "engine/cpu/cpu_features.h"

namespace noisymix {

/// For code compiled for AVX-512.
struct EightDoubles {
  static constexpr int kLanes = 8;
  using type = double __attribute__((vector_size(64)));
  using floats = float __attribute__((vector_size(32)));  ///< as many floats
};
/// For all other code.
struct FourDoubles {
  static constexpr int kLanes = 4;
  using type = double __attribute__((vector_size(32)));
  using floats = float __attribute__((vector_size(16)));
};

/// From and to anywhere in memory, in one instruction. Not by a type of small alignment: clang forgets the
/// alignment of a vector type on its way through a template.
template <class Vector, class T>
inline __attribute__((always_inline)) Vector load_vector(const T* from) {
  Vector values;
  __builtin_memcpy(&values, from, sizeof values);
  return values;
}
template <class Vector, class T>
inline __attribute__((always_inline)) void store_vector(T* to, const Vector& values) {
  __builtin_memcpy(to, &values, sizeof values);
}

/// Which of the two.
inline bool has_eight_doubles() {
  return cpu::vector_isa() == cpu::Isa::avx512;
}

}  // namespace noisymix
