// Recorded float images as the warps take them.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/augment/corruptions/golden_case.h"

namespace noisymix::testing {

/// [h, w, 3] as four floats per pixel, the last of them 0.
inline std::vector<float> quads_of(const Tensor& image) {
  const auto values = as_doubles(image);
  std::vector<float> quads(values.size() / 3 * 4, 0.0f);
  for (std::size_t i = 0; i < values.size(); ++i) quads[i / 3 * 4 + i % 3] = static_cast<float>(values[i]);
  return quads;
}

inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
  return largest;
}

}  // namespace noisymix::testing
