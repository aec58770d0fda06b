// Regions of the plane where a function on a grid is at least some level, as outlines for drawing.
#pragma once

#include <array>
#include <vector>

namespace noisymix {

using Outline = std::vector<std::array<double, 2>>;  ///< closed; the last point is not the first one again

/// Outlines of {value >= level} of the bilinear function through `values` [rows, columns], in units of cells:
/// (0, 0) is the first value, (columns - 1, rows - 1) the last. Marching squares: edges of the grid close the
/// region, saddles are decided by the mean of their corners. Filled with the even-odd rule they give the
/// region, holes included. Throws ShapeError for less than two rows or columns, or another number of values.
std::vector<Outline> region_outlines(const std::vector<double>& values, int rows, int columns, double level);

/// Leaves out points that are nearer than `tolerance` to the line through their kept neighbours (Douglas and
/// Peucker).
Outline simplified(const Outline& outline, double tolerance);

}  // namespace noisymix
