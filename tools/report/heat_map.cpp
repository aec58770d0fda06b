#include "tools/report/heat_map.h"

#include <algorithm>
#include <cmath>

#include "tools/report/html.h"

namespace noisymix::report {
namespace {

std::string cell(const HeatMap& map, const std::optional<double>& value, bool last) {
  const std::string mean = last ? " mean" : "";
  if (!value || !std::isfinite(*value)) return "<td class=\"none" + mean + "\">\xE2\x80\x93</td>";
  const std::string color =
      map.difference ? difference_class(*value, map.high) : heat_class(*value, map.low, map.high);
  return "<td class=\"" + color + mean + "\">" + (map.difference ? signed_points(*value) : percent(*value)) +
         "</td>";
}

std::string scale(const HeatMap& map) {
  std::string out = "<div class=\"scale\" aria-hidden=\"true\"><span>" +
                    (map.difference ? signed_points(-map.high, 0) : percent(map.low, 0)) + "</span>";
  for (int i = 0; i < kHeatSteps; ++i) {
    const double share = (i + 0.5) / kHeatSteps;
    out +=
        "<i class=\"" +
        (map.difference ? difference_class((2 * share - 1) * map.high, map.high) : heat_class(share, 0, 1)) +
        "\"></i>";
  }
  return out + "<span>" +
         (map.difference ? signed_points(map.high, 0) + " points" : percent(map.high, 0) + " %") +
         "</span></div>\n";
}

}  // namespace

std::string heat_class(double value, double low, double high) {
  const double share = high > low ? (value - low) / (high - low) : 0.5;
  return "s" +
         std::to_string(std::clamp(static_cast<int>(std::floor(share * kHeatSteps)), 0, kHeatSteps - 1));
}

std::string difference_class(double value, double high) {
  const double share = high > 0 ? std::clamp(value / high, -1.0, 1.0) : 0;
  const int step = std::clamp(static_cast<int>(std::lround(share * kHeatSteps / 2)), -5, 5);
  return step == 0 ? "z" : (step < 0 ? "n" : "p") + std::to_string(std::abs(step));
}

std::string draw(const HeatMap& map) {
  std::string out = "<figure class=\"heat\"><figcaption>";
  if (map.run) out += "<i class=\"dot " + run_class(*map.run) + "\"></i>";
  out += escape(map.title) + "</figcaption>\n<div class=\"scroll\"><table>\n<thead><tr><th></th>";
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    out += "<th scope=\"col\"" + std::string(i + 1 == map.columns.size() ? " class=\"mean\"" : "") + ">" +
           escape(map.columns[i]) + "</th>";
  }
  out += "</tr></thead>\n";
  for (const HeatGroup& group : map.groups) {
    out += "<tbody>";
    if (!group.label.empty()) {
      out += "<tr class=\"group\"><th colspan=\"" + std::to_string(map.columns.size() + 1) +
             "\" scope=\"rowgroup\">" + escape(group.label) + "</th></tr>\n";
    }
    for (const HeatRow& row : group.rows) {
      out += "<tr><th scope=\"row\">" + escape(row.label) + "</th>";
      for (std::size_t i = 0; i < row.values.size(); ++i)
        out += cell(map, row.values[i], i + 1 == row.values.size());
      out += "</tr>\n";
    }
    out += "</tbody>\n";
  }
  return out + "</table></div>\n" + scale(map) + "</figure>\n";
}

}  // namespace noisymix::report
