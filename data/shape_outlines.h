// Outlines of the built-in shapes as signed distances.
#pragma once

#include <array>

namespace noisymix {

constexpr int kOutlines = 10;

/// Distance of (x, y) to the border of outline `which`, negative inside, in units of the shape's radius
/// (about 1; exact near the border, a lower bound far from it). Outlines are centred and upright with y
/// pointing down.
double outline_distance(int which, double x, double y);

}  // namespace noisymix
