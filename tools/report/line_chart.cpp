#include "tools/report/line_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/report/axis.h"
#include "tools/report/html.h"

namespace noisymix::report {
namespace {

constexpr double kWidth = 380, kHeight = 268, kLeft = 46, kRight = 14, kTop = 12, kBottom = 44;

std::string place(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

struct Plane {
  Axis x, y;
  double at_x(double value) const {
    return kLeft + (kWidth - kLeft - kRight) * (value - x.low) / (x.high - x.low);
  }
  double at_y(double value) const {
    return kTop + (kHeight - kTop - kBottom) * (y.high - value) / (y.high - y.low);
  }
};

bool finite(const LinePoint& point) {
  return std::isfinite(point.x) && std::isfinite(point.y);
}

bool choose_axes(const LineChart& chart, Plane& plane) {
  double left = HUGE_VAL, right = -HUGE_VAL, low = HUGE_VAL, high = -HUGE_VAL;
  for (const LineSeries& series : chart.series) {
    for (const LinePoint& point : series.points) {
      if (!finite(point)) continue;
      left = std::min(left, point.x), right = std::max(right, point.x);
      low = std::min(low, point.y), high = std::max(high, point.y);
    }
  }
  if (left > right) return false;
  Axis whole = nice_axis(left, right, 6);
  if (short_number(whole.step).size() > 4) whole = nice_axis(left, right, 4);  // longer labels need room
  if (chart.whole_x) whole.step = std::max(1.0, whole.step);
  plane.x = {left, right > left ? right : left + 1, whole.step};
  plane.y = nice_axis(chart.low.value_or(low), chart.high.value_or(high), 5);
  return true;
}

std::string text_at(double x, double y, const char* anchor, const std::string& text) {
  return "<text x=\"" + place(x) + "\" y=\"" + place(y) + "\" text-anchor=\"" + anchor + "\">" +
         escape(text) + "</text>";
}

std::string draw_axes(const LineChart& chart, const Plane& plane) {
  std::string out;
  const double bottom = kHeight - kBottom;
  for (double value = plane.y.low; value < plane.y.high + plane.y.step / 2; value += plane.y.step) {
    const double y = plane.at_y(value);
    out += "<line class=\"grid\" x1=\"" + place(kLeft) + "\" x2=\"" + place(kWidth - kRight) + "\" y1=\"" +
           place(y) + "\" y2=\"" + place(y) + "\"/>" +
           text_at(kLeft - 7, y + 4, "end", short_number(std::abs(value) < plane.y.step / 1e6 ? 0 : value));
  }
  const double first = std::ceil(plane.x.low / plane.x.step - 1e-9) * plane.x.step;
  for (double value = first; value <= plane.x.high + plane.x.step * 1e-6; value += plane.x.step) {
    const double x = plane.at_x(value);
    out += "<line class=\"tick\" x1=\"" + place(x) + "\" x2=\"" + place(x) + "\" y1=\"" + place(bottom) +
           "\" y2=\"" + place(bottom + 4) + "\"/>" +
           text_at(x, bottom + 18, "middle", short_number(std::abs(value) < plane.x.step / 1e6 ? 0 : value));
  }
  return out + "<g class=\"axis-title\">" +
         text_at((kLeft + kWidth - kRight) / 2, kHeight - 6, "middle", chart.x_label) + "</g>\n";
}

// Shapes differ too, so that lines can be told apart without colours.
std::string mark(std::size_t run, double x, double y) {
  const std::string cx = place(x), cy = place(y);
  switch (run % 4) {
    case 0:
      return "<circle cx=\"" + cx + "\" cy=\"" + cy + "\" r=\"3.6\"/>";
    case 1:
      return "<rect x=\"" + place(x - 3.3) + "\" y=\"" + place(y - 3.3) + "\" width=\"6.6\" height=\"6.6\"/>";
    case 2:
      return "<path d=\"M" + cx + " " + place(y - 4.4) + "l4.4 7.8h-8.8z\"/>";
    default:
      return "<path d=\"M" + cx + " " + place(y - 4.6) + "l4.6 4.6l-4.6 4.6l-4.6 -4.6z\"/>";
  }
}

std::string draw_series(const LineSeries& series, const Plane& plane, const std::string& unit) {
  std::string out = "<g class=\"series " + run_class(series.run) + (series.dashed ? " dashed" : "") +
                    "\"><title>" + escape(series.label) + "</title>";
  std::string line, marks;
  const auto flush = [&] {
    if (!line.empty()) out += "<polyline points=\"" + line + "\"/>";
    line.clear();
  };
  for (const LinePoint& point : series.points) {
    if (!finite(point)) {
      flush();
      continue;
    }
    const double x = plane.at_x(point.x), y = plane.at_y(std::clamp(point.y, plane.y.low, plane.y.high));
    line.append(line.empty() ? "" : " ").append(place(x)).append(",").append(place(y));
    if (!series.marks || series.dashed) continue;
    marks += "<g class=\"mark\"><title>" +
             escape(series.label + ": " + short_number(point.y) + unit + " at " + short_number(point.x)) +
             "</title>" + mark(series.run, x, y) + "</g>";
  }
  flush();
  return out + marks + "</g>\n";
}

}  // namespace

std::string draw(const LineChart& chart) {
  Plane plane;
  if (!choose_axes(chart, plane)) return "";
  std::string out = "<figure class=\"chart\"><figcaption>" + escape(chart.title) +
                    "</figcaption>\n<svg viewBox=\"0 0 " + short_number(kWidth) + " " +
                    short_number(kHeight) + "\" role=\"img\" aria-label=\"" + escape(chart.title) + "\">\n" +
                    draw_axes(chart, plane);
  // Secondary lines below, the first run on top.
  for (const bool dashed : {true, false}) {
    for (auto series = chart.series.rbegin(); series != chart.series.rend(); ++series) {
      if (series->dashed == dashed) out += draw_series(*series, plane, chart.unit);
    }
  }
  return out + "</svg></figure>\n";
}

}  // namespace noisymix::report
