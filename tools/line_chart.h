// Line charts side by side in one SVG that suits light and dark pages.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <vector>

namespace noisymix {

struct ChartLine {
  std::string name;                           ///< in the legend; lines of one name and style share an entry
  std::vector<std::array<double, 2>> points;  ///< x, y in order of x; those that cannot be shown leave gaps
  std::size_t color = 0;                      ///< any number; few are told apart
  bool dashed = false;                        ///< thinner as well
  std::vector<std::array<double, 3>> band = {};  ///< x, low, high: tinted behind the line; may be empty
};

struct Chart {
  std::string title, x_name;
  bool log_x = false, log_y = false;  ///< numbers that are not positive cannot be shown on these
  bool from_zero = false;             ///< the horizontal axis starts at 0
  std::vector<ChartLine> lines;
};

/// The charts in rows of `columns`, one legend below all of them, in as many columns where the names
/// fit.
std::string draw_charts(const std::vector<Chart>& charts, int columns);

}  // namespace noisymix
