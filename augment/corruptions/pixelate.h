// Corruption "pixelate": an image made smaller and larger again.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Share of each side that is left, by parameter set.
inline constexpr BySeverity<double> kPixelate[] = {
    {0.95, 0.9, 0.85, 0.75, 0.65},
    {0.9, 0.8, 0.7, 0.6, 0.5},
    {0.6, 0.5, 0.4, 0.3, 0.25},
};

/// Resizes by area to int(side share), at least 1, and back. Nothing is drawn, nothing truncated. `out` takes
/// the shape of `image`.
void pixelate(const Image& image, double share, Scratch& scratch, Image& out);

std::unique_ptr<Corruption> make_pixelate(ParameterSet set, int severity);

}  // namespace noisymix
