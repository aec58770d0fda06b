#include "tools/report/bar_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/report/html.h"

namespace noisymix::report {
namespace {

std::string width_of(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f%%", 100 * std::clamp(share, 0.0, 1.0));
  return text;
}

std::string difference(const BarChart& chart, double value, double reference) {
  const double change = value - reference;
  const bool better = chart.lower_is_better ? change < 0 : change > 0;
  const std::string text = signed_points(change, chart.decimals);
  const bool same = text.starts_with("±");
  return "<span class=\"change" +
         std::string(same     ? ""
                     : better ? " better"
                              : " worse") +
         "\">" + text + "</span>";
}

std::string bar(const BarChart& chart, const BarRow& row, std::size_t run) {
  const std::optional<double>& value = row.values[run];
  if (!value || !std::isfinite(*value)) return "";
  std::string out =
      "<div class=\"bar " + run_class(run) + "\" title=\"" +
      escape(run < chart.runs.size() ? chart.runs[run] : "") +
      "\"><span class=\"track\"><i style=\"width:" + width_of(chart.high > 0 ? *value / chart.high : 0) +
      "\"></i></span><span class=\"value\">" + percent(*value, chart.decimals) + "</span>";
  if (row.values.size() > 1) {
    const bool compared = run > 0 && row.values[0] && std::isfinite(*row.values[0]);
    out += compared ? difference(chart, *value, *row.values[0]) : "<span class=\"change\"></span>";
  }
  return out + "</div>";
}

}  // namespace

std::string draw(const BarChart& chart) {
  std::string out = "<figure class=\"bars\"><figcaption>" + escape(chart.title) + "</figcaption>\n";
  for (const BarRow& row : chart.rows) {
    std::string bars;
    for (std::size_t run = 0; run < row.values.size(); ++run) bars += bar(chart, row, run);
    if (bars.empty()) continue;
    out += "<div class=\"bar-row" + std::string(row.heading ? " heading" : "") + "\"><span class=\"label\">" +
           escape(row.label) + "</span><div>" + bars + "</div></div>\n";
  }
  return out + "</figure>\n";
}

}  // namespace noisymix::report
