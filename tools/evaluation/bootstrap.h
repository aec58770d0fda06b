// Confidence intervals of means by drawing the test images anew.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/key.h"

namespace noisymix {

struct Interval {
  double low = 0, high = 0;
};

struct BootstrapOptions {
  int resamples = 2000;
  double coverage = 0.95;
  std::uint64_t seed = 0;  ///< of the draws
};

/// Percentile intervals of the means of several columns over the same examples. Every resample draws n of the
/// n examples with replacement, the same ones for all columns, so that columns of paired differences stay
/// paired. Values are rounded to 2^-20, in return the result is the same on every machine. Columns must have
/// one length and values within [-1024, 1024]; throws ShapeError else. An empty column has the interval (0,
/// 0).
std::vector<Interval> bootstrap_means(const std::vector<std::vector<float>>& columns,
                                      const BootstrapOptions& options);

}  // namespace noisymix
