// Corruption "gaussian_blur": every channel smoothed with a Gaussian.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Standard deviation in pixels, by parameter set.
inline constexpr BySeverity<double> kGaussianBlur[] = {
    {.4, .6, .7, .8, 1},
    {.5, .75, 1, 1.25, 1.5},
    {1, 2, 3, 4, 6},
};

/// Radius int(4 sigma + 1/2), edge pixels repeated; nothing is drawn. `values` receives 0 .. 255 before
/// truncation, in the layout of the image.
void gaussian_blur(const Image& image, double sigma, Scratch& scratch, double* values);
/// The same, truncated to bytes.
void gaussian_blur(const Image& image, double sigma, Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_gaussian_blur(ParameterSet set, int severity);

}  // namespace noisymix
