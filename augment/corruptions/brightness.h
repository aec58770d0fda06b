// Corruption "brightness": the value of every colour grows.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// What is added to the value in 0..1, by parameter set.
inline constexpr BySeverity<double> kBrightness[] = {
    {0.05, 0.1, 0.15, 0.2, 0.3},
    {0.1, 0.2, 0.3, 0.4, 0.5},
    {0.1, 0.2, 0.3, 0.4, 0.5},
};

/// V = clip(V + amount) in HSV, back to RGB, times 255 and truncated; in double, to the bit as the benchmark.
/// A grey image is its own value. `values`, unless null, receives what is truncated. Nothing is drawn.
void brightness(const Image& image, double amount, Image& out, double* values = nullptr);

std::unique_ptr<Corruption> make_brightness(ParameterSet set, int severity);

}  // namespace noisymix
