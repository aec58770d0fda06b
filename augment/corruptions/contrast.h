// Corruption "contrast": values move towards the mean of their channel.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Factor of the distance to the mean, by parameter set.
inline constexpr BySeverity<double> kContrast[] = {
    {0.75, 0.5, 0.4, 0.3, 0.15},
    {0.4, 0.3, 0.2, 0.1, 0.05},
    {0.4, 0.3, 0.2, 0.1, 0.05},
};

/// clip((x - m) factor + m), with x in 0..1 and m the mean of the channel, times 255 and truncated; in
/// double. `values`, unless null, receives what is truncated. Nothing is drawn.
void contrast(const Image& image, double factor, Image& out, double* values = nullptr);

std::unique_ptr<Corruption> make_contrast(ParameterSet set, int severity);

}  // namespace noisymix
