// A table of numbers with coloured cells: types by severities, or differences of two such tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace noisymix::report {

struct HeatRow {
  std::string label;
  std::vector<std::optional<double>> values;  ///< fractions, one per column; absent ones stay empty
};

/// Rows under one heading, the last of `values` of each row being set apart as its mean.
struct HeatGroup {
  std::string label;
  std::vector<HeatRow> rows;
};

struct HeatMap {
  std::string title;
  std::optional<std::size_t> run;  ///< whose colour marks the title
  std::vector<std::string> columns;
  std::vector<HeatGroup> groups;
  bool difference = false;   ///< signed, coloured around 0
  double low = 0, high = 1;  ///< ends of the colour scale; a difference uses -high to high
};

/// Steps of the colour scales; "s0" to "s10", for differences "n5" to "n1", "z", "p1" to "p5".
inline constexpr int kHeatSteps = 11;
/// Class of a value's colour between the ends of a scale.
std::string heat_class(double value, double low, double high);
std::string difference_class(double value, double high);

/// A <figure> with the table and its colour scale.
std::string draw(const HeatMap& map);

}  // namespace noisymix::report
