// The kernel of a lens out of focus: a disk with a softened edge.
#pragma once

#include <span>

#include "augment/filters/tap_sums.h"
#include "augment/scratch.h"

namespace noisymix {

/// Side of the kernel's square: 17, or 2 radius + 1 for a radius above 8.
int disk_kernel_side(double radius);

/// side x side single-precision weights with sum 1, row-major: the points no farther from the centre than
/// `radius`, smoothed by 3 x 3 taps (5 x 5 for a radius above 8) of a Gaussian of `alias`, borders mirrored.
/// In `scratch`. Throws ConfigError unless both numbers are positive.
std::span<const float> disk_kernel(double radius, double alias, Scratch& scratch);

/// The same as taps, in `scratch`, without those that change nothing (less than 1e-9 of the largest).
std::span<const Tap> disk_taps(double radius, double alias, Scratch& scratch);

}  // namespace noisymix
