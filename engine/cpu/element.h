// Elements of any floating dtype as double and back, for sums that accumulate in double.
#pragma once

#include "engine/dtype.h"

namespace noisymix::cpu {

template <typename T>
double as_double(T value) {
  return static_cast<double>(static_cast<compute_t<T>>(value));
}

/// Rounds to T; bf16 rounds through float, as all its arithmetic does.
template <typename T>
T from_double(double value) {
  return T(static_cast<compute_t<T>>(value));
}

}  // namespace noisymix::cpu
