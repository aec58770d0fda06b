// Lines over a numeric axis as inline SVG, drawn for a width that phones have.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace noisymix::report {

struct LinePoint {
  double x = 0, y = 0;  ///< a y that is not finite leaves a gap
};

struct LineSeries {
  std::string label;    ///< shown when the pointer rests on the line
  std::size_t run = 0;  ///< its colour and the shape of its marks
  bool dashed = false;  ///< a secondary line, without marks
  bool marks = true;
  std::vector<LinePoint> points;
};

struct LineChart {
  std::string title, x_label;
  std::vector<LineSeries> series;
  std::optional<double> low, high;  ///< of the vertical axis; chosen from the values when absent
  bool whole_x = false;             ///< the horizontal axis counts
  std::string unit;                 ///< after the numbers of the vertical axis, as " %"
};

/// A <figure> with the title above the SVG; empty when no point is finite.
std::string draw(const LineChart& chart);

}  // namespace noisymix::report
