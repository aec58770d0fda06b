// Corruption "saturate": colours become paler or stronger.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

struct SaturateParameters {
  double factor, offset;
};
/// By parameter set.
inline constexpr BySeverity<SaturateParameters> kSaturate[] = {
    {{0.3, 0}, {0.1, 0}, {1.5, 0}, {2, 0.1}, {2.5, 0.2}},
    {{0.3, 0}, {0.1, 0}, {2, 0}, {5, 0.1}, {30, 0.2}},
    {{0.3, 0}, {0.1, 0}, {2, 0}, {5, 0.1}, {20, 0.2}},
};

/// S = clip(S factor + offset) in HSV, back to RGB, times 255 and truncated; in double, to the bit as the
/// benchmark: greys of an RGB image become reddish with an offset. A grey image has no colours and stays as
/// it is. `values`, unless null, receives what is truncated. Nothing is drawn.
void saturate(const Image& image, const SaturateParameters& parameters, Image& out, double* values = nullptr);

std::unique_ptr<Corruption> make_saturate(ParameterSet set, int severity);

}  // namespace noisymix
