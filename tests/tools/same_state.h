// Comparison of two models' states, bit by bit.
#pragma once

#include <cstring>

#include "layers/module.h"

namespace noisymix::testing {

/// Equal names, shapes and bits; the order may differ (files sort by element size).
inline bool same_bits(const Module::Named& a, const Module::Named& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, left] : a) {
    const Tensor* right = nullptr;
    for (const auto& [other, candidate] : b) {
      if (other == name) right = &candidate;
    }
    if (right == nullptr || left.shape() != right->shape() || left.dtype() != right->dtype()) return false;
    if (std::memcmp(left.raw(), right->raw(), left.bytes()) != 0) return false;
  }
  return true;
}

}  // namespace noisymix::testing
