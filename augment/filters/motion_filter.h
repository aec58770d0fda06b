// Blur along a line, one-sided: the motion blur of the benchmark's imaging library, byte for byte.
#pragma once

#include <cstdint>
#include <span>

#include "augment/filters/tap_sums.h"
#include "augment/scratch.h"

namespace noisymix {

/// 2 ceil(radius) + 1 taps with weights exp(-i^2 / (2 sigma^2)), normalised to sum 1, in direction `degrees`,
/// clockwise on the screen. In `scratch`. Throws ConfigError unless radius and sigma are positive.
std::span<const Tap> motion_blur_kernel(double radius, double sigma, double degrees, Scratch& scratch);

/// Blurs height x width x channels (1 or 3) bytes with that kernel, edge pixels repeated, and writes
/// floor(floor(257 sum + 1/2) / 257) with sums in double. `out` may be `in`.
void motion_filter(const std::uint8_t* in, std::uint8_t* out, int height, int width, int channels,
                   double radius, double sigma, double degrees, Scratch& scratch);

}  // namespace noisymix
