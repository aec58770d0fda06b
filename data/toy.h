// The two-dimensional toy sets on which training schemes can be looked at: concentric circles and a concave
// polygon.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "data/dataset.h"

namespace noisymix {

/// Two-class points. `train` selects the first part of one fixed shuffled set, else the rest. `count` is the
/// size of both parts together; 0 means 500. Circles: radius 1 (class 0) and 0.05 (class 1) plus N(0, 0.3)
/// per coordinate, 300 of 500 train.
std::shared_ptr<const Dataset> make_circles(std::uint64_t seed, bool train, std::int64_t count = 0);

/// Points of a normal law, class 1 inside a concave polygon; within 0.1 of its border a fair coin decides.
/// Observed with N(0, 0.2) per coordinate added. 250 of 500 train.
std::shared_ptr<const Dataset> make_polygon(std::uint64_t seed, bool train, std::int64_t count = 0);

/// Corners of the polygon, and the distance of a point to its border, positive inside.
const std::vector<std::array<double, 2>>& polygon_corners();
double polygon_distance(double x, double y);

}  // namespace noisymix
