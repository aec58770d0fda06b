#include "tools/line_chart.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "tools/report/axis.h"

#include "engine/error.h"

namespace noisymix {
namespace {

// Tones with enough contrast on white, and lighter ones for near black.
constexpr const char* kLight[] = {"#2f7ed8", "#d1571c", "#22875e", "#a455c9",
                                  "#a57f0f", "#d64580", "#4f808e", "#8b7355"};
constexpr const char* kDark[] = {"#6aa9f0", "#f08a55", "#4cc493", "#c88ae6",
                                 "#dcb844", "#f07aa8", "#8dbac6", "#c2a988"};
constexpr double kWidth = 400, kHeight = 260, kLeft = 64, kTop = 40, kGapX = 76, kGapY = 92, kLegendLine = 22;

std::string number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string escape(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '&')
      out += "&amp;";
    else if (static_cast<unsigned char>(c) >= 0x20)
      out += c;
  }
  return out;
}

struct Tick {
  double at;  // as shown on the axis: the logarithm on a logarithmic one
  std::string text;
};

// One direction of a chart.
struct Axis {
  bool log = false;
  double low = HUGE_VAL, high = -HUGE_VAL;
  std::vector<Tick> ticks;

  bool shows(double value) const { return std::isfinite(value) && (!log || value > 0); }
  double place(double value) const { return log ? std::log10(value) : value; }
  double share(double value) const { return (place(value) - low) / (high - low); }
  void cover(double value) {
    if (!shows(value)) return;
    low = std::min(low, place(value));
    high = std::max(high, place(value));
  }
};

void place_linear_ticks(Axis& axis, bool widen) {
  const double step = report::nice_step(axis.high - axis.low, 5);
  if (widen) {
    axis.low = std::floor(axis.low / step + 1e-9) * step;
    axis.high = std::ceil(axis.high / step - 1e-9) * step;
  }
  for (double i = std::ceil(axis.low / step - 1e-9); i * step <= axis.high + step * 1e-6; ++i)
    axis.ticks.push_back({i * step, number(i == 0 ? 0 : i * step)});
}

void place_log_ticks(Axis& axis, bool widen) {
  if (widen) {
    axis.low = std::floor(axis.low + 1e-9);
    axis.high = std::ceil(axis.high - 1e-9);
  }
  const double every = std::max(1.0, std::ceil((axis.high - axis.low) / 7));
  for (double power = std::ceil(axis.low - 1e-9); power <= axis.high + 1e-9; power += every)
    axis.ticks.push_back({power, number(std::pow(10, power))});
}

// The vertical axis is widened to whole ticks; the horizontal one ends with the data.
void finish(Axis& axis, bool widen) {
  if (axis.low > axis.high) axis.low = 0, axis.high = 1;
  if (axis.high - axis.low < 1e-9 * std::max(1.0, std::abs(axis.high))) axis.high = axis.low + 1;
  if (axis.log)
    place_log_ticks(axis, widen);
  else
    place_linear_ticks(axis, widen);
}

struct Frame {
  double x, y;  // upper left corner
  Axis across, up;

  double x_of(double value) const { return x + kWidth * across.share(value); }
  double y_of(double value) const { return y + kHeight * (1 - up.share(value)); }
};

Frame frame_of(const Chart& chart, std::size_t index, std::size_t columns) {
  Frame frame;
  frame.x = kLeft + static_cast<double>(index % columns) * (kWidth + kGapX);
  frame.y = kTop + static_cast<double>(index / columns) * (kHeight + kGapY);
  frame.across.log = chart.log_x;
  frame.up.log = chart.log_y;
  if (chart.from_zero) frame.across.cover(0);
  for (const ChartLine& line : chart.lines) {
    for (const auto& [x, y] : line.points) {
      frame.across.cover(x);
      frame.up.cover(y);
    }
    for (const auto& [x, low, high] : line.band) {
      frame.across.cover(x);
      frame.up.cover(low);
      frame.up.cover(high);
    }
  }
  finish(frame.across, false);
  finish(frame.up, true);
  return frame;
}

void draw_axes(std::ostream& out, const Chart& chart, const Frame& frame) {
  out << "<text class=\"title\" x=\"" << frame.x << "\" y=\"" << frame.y - 14 << "\">" << escape(chart.title)
      << "</text>\n";
  for (const Tick& tick : frame.up.ticks) {
    const double share = (tick.at - frame.up.low) / (frame.up.high - frame.up.low);
    const double y = frame.y + kHeight * (1 - share);
    out << "<line class=\"grid\" x1=\"" << frame.x << "\" x2=\"" << frame.x + kWidth << "\" y1=\""
        << number(y) << "\" y2=\"" << number(y) << "\"/><text x=\"" << frame.x - 8 << "\" y=\""
        << number(y + 4) << "\" text-anchor=\"end\">" << tick.text << "</text>\n";
  }
  for (const Tick& tick : frame.across.ticks) {
    const double share = (tick.at - frame.across.low) / (frame.across.high - frame.across.low);
    out << "<text x=\"" << number(frame.x + kWidth * share) << "\" y=\"" << frame.y + kHeight + 18
        << "\" text-anchor=\"middle\">" << tick.text << "</text>\n";
  }
  out << "<text x=\"" << frame.x + kWidth / 2 << "\" y=\"" << frame.y + kHeight + 36
      << "\" text-anchor=\"middle\">" << escape(chart.x_name) << "</text>\n";
}

std::string style(const ChartLine& line) {
  return "class=\"" + std::string(line.dashed ? "dashed" : "solid") + " c" +
         std::to_string(line.color % std::size(kLight)) + "\"";
}

// One area per stretch that can be shown: along the upper edge, back along the lower one.
void draw_band(std::ostream& out, const ChartLine& line, const Frame& frame) {
  std::string upper, lower;
  const auto flush = [&] {
    if (!upper.empty())
      out << "<polygon class=\"band f" << line.color % std::size(kLight) << "\" points=\"" << upper << lower
          << "\"/>\n";
    upper.clear();
    lower.clear();
  };
  for (const auto& [x, low, high] : line.band) {
    if (!frame.across.shows(x) || !frame.up.shows(low) || !frame.up.shows(high)) {
      flush();
      continue;
    }
    const std::string across = number(frame.x_of(x)) + ",";
    upper += across + number(frame.y_of(high)) + " ";
    lower.insert(0, across + number(frame.y_of(low)) + " ");
  }
  flush();
}

// One polyline per stretch that can be shown; a point on its own becomes a dot.
void draw_line(std::ostream& out, const ChartLine& line, const Frame& frame) {
  std::string points;
  int count = 0;
  const auto flush = [&] {
    if (count == 1) points.append(" ").append(points);  // round caps show a line of no length
    if (count > 0) out << "<polyline " << style(line) << " points=\"" << points << "\"/>\n";
    points.clear();
    count = 0;
  };
  for (const auto& [x, y] : line.points) {
    if (!frame.across.shows(x) || !frame.up.shows(y)) {
      flush();
      continue;
    }
    if (count++ > 0) points += ' ';
    points.append(number(frame.x_of(x))).append(",").append(number(frame.y_of(y)));
  }
  flush();
}

std::vector<const ChartLine*> legend_of(const std::vector<Chart>& charts) {
  std::vector<const ChartLine*> entries;
  for (const Chart& chart : charts) {
    for (const ChartLine& line : chart.lines) {
      const auto same = [&line](const ChartLine* entry) {
        return entry->name == line.name && entry->color == line.color && entry->dashed == line.dashed;
      };
      if (std::none_of(entries.begin(), entries.end(), same)) entries.push_back(&line);
    }
  }
  return entries;
}

// As many as there are charts in a row, but only one where a name would not fit (7.5 is the width of a wide
// letter).
std::size_t legend_columns(const std::vector<const ChartLine*>& entries, std::size_t across) {
  const bool fits = std::all_of(entries.begin(), entries.end(), [](const ChartLine* entry) {
    return 38 + 7.5 * static_cast<double>(entry->name.size()) < kWidth + kGapX;
  });
  return fits ? across : 1;
}

void draw_legend(std::ostream& out, const std::vector<const ChartLine*>& entries, std::size_t columns,
                 double top) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const double x = kLeft + static_cast<double>(i % columns) * (kWidth + kGapX);
    const double y = top + kLegendLine * static_cast<double>(i / columns);
    out << "<line " << style(*entries[i]) << " x1=\"" << x << "\" x2=\"" << x + 28 << "\" y1=\"" << y
        << "\" y2=\"" << y << "\"/><text x=\"" << x + 38 << "\" y=\"" << y + 4 << "\">"
        << escape(entries[i]->name) << "</text>\n";
  }
}

void write_styles(std::ostream& out) {
  out << "<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",sans-serif;fill:#5b626c}"
         ".title{font-size:15px;font-weight:600}.page{fill:#fff}.grid{stroke:#80879055;stroke-width:1}"
         ".solid{fill:none;stroke-width:2.2;stroke-linejoin:round;stroke-linecap:round}"
         ".dashed{fill:none;stroke-width:1.6;stroke-dasharray:5 4;stroke-linejoin:round}";
  out << ".band{opacity:.18}";
  for (std::size_t i = 0; i < std::size(kLight); ++i)
    out << ".c" << i << "{stroke:" << kLight[i] << "}.f" << i << "{fill:" << kLight[i] << "}";
  out << "@media(prefers-color-scheme:dark){text{fill:#a9b1bc}.page{fill:#15181c}";
  for (std::size_t i = 0; i < std::size(kDark); ++i)
    out << ".c" << i << "{stroke:" << kDark[i] << "}.f" << i << "{fill:" << kDark[i] << "}";
  out << "}</style>\n";
}

}  // namespace

std::string draw_charts(const std::vector<Chart>& charts, int columns) {
  NM_CHECK(!charts.empty() && columns >= 1, "[draw_charts] expects charts and at least one column");
  const std::size_t across = std::min(charts.size(), static_cast<std::size_t>(columns));
  const std::size_t down = (charts.size() + across - 1) / across;
  const std::vector<const ChartLine*> entries = legend_of(charts);
  const std::size_t legend_across = legend_columns(entries, across);
  const double legend = kTop + static_cast<double>(down) * (kHeight + kGapY) - kGapY + 64;
  const double width = kLeft + static_cast<double>(across) * (kWidth + kGapX) - kGapX + 24;
  const double height =
      legend + kLegendLine * static_cast<double>((entries.size() + legend_across - 1) / legend_across);
  std::ostringstream out;
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
      << width << "\" height=\"" << height << "\">\n";
  write_styles(out);
  out << "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n";
  for (std::size_t i = 0; i < charts.size(); ++i) {
    const Frame frame = frame_of(charts[i], i, across);
    draw_axes(out, charts[i], frame);
    for (const ChartLine& line : charts[i].lines) draw_band(out, line, frame);
    for (const bool dashed : {true, false})  // solid lines on top
      for (const ChartLine& line : charts[i].lines)
        if (line.dashed == dashed) draw_line(out, line, frame);
  }
  draw_legend(out, entries, legend_across, legend);
  out << "</svg>\n";
  return out.str();
}

}  // namespace noisymix
