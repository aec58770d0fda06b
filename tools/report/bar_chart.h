// Horizontal bars, one per run and row, with their numbers and the difference to the first run.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace noisymix::report {

struct BarRow {
  std::string label;
  std::vector<std::optional<double>> values;  ///< fractions, one per run
  bool heading = false;                       ///< a mean over the rows below: set in bold
};

struct BarChart {
  std::string title;
  std::vector<std::string> runs;  ///< names, for readers without colours
  std::vector<BarRow> rows;
  double high = 1;  ///< value of a full bar
  int decimals = 1;
  bool lower_is_better = false;
};

/// A <figure>; made of blocks instead of a drawing, so that it keeps its letters on a narrow screen.
std::string draw(const BarChart& chart);

}  // namespace noisymix::report
