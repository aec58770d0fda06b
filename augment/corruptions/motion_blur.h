// Corruption "motion_blur": a one-sided blur along a line of random direction.
#pragma once

#include <memory>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Reach of the line and its Gaussian's standard deviation, in pixels.
struct MotionRow {
  double radius, sigma;
};
/// By parameter set.
inline constexpr BySeverity<MotionRow> kMotionBlur[] = {
    {{6, 1}, {6, 1.5}, {6, 2}, {8, 2}, {9, 2.5}},
    {{10, 1}, {10, 1.5}, {10, 2}, {10, 2.5}, {12, 3}},
    {{10, 3}, {15, 5}, {15, 8}, {15, 12}, {20, 15}},
};

/// The direction in degrees, uniform in [-45, 45).
double draw_motion(Key key);

/// motion_filter() in direction `degrees`. There is nothing to truncate: the filter gives bytes.
void motion_blur(const Image& image, const MotionRow& row, double degrees, Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_motion_blur(ParameterSet set, int severity);

}  // namespace noisymix
