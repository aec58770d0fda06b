// Decision boundaries as vector graphics: nested regions of the probability, from the lowest level up.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <sstream>

#include "engine/error.h"
#include "tools/analysis/contours.h"
#include "tools/analysis/toy_boundaries.h"
#include "tools/report/axis.h"
#include "tools/report/html.h"

namespace noisymix {
namespace {

constexpr double kSide = 260, kGap = 22, kTitle = 54, kLeft = 44, kBottom = 38, kScale = 76;
constexpr int kLevels = 10;
// Blue for class 0, orange for class 1: told apart by everybody, and in grey by their darkness.
constexpr const char* kFill[kLevels] = {"#a3c1e3", "#b6cee9", "#cadcef", "#dde8f4", "#eff4f9",
                                        "#fcf3ec", "#fae3d1", "#f7d0b3", "#f3bc94", "#efa877"};
constexpr const char* kClassZero = "#17508f";
constexpr const char* kClassOne = "#b3440f";

std::string number(double value) {
  char text[24];
  std::snprintf(text, sizeof text, "%.1f", value);
  std::string result = text;
  if (result.ends_with(".0")) result.resize(result.size() - 2);
  return result == "-0" ? "0" : result;
}

struct Corner {
  double x, y;
};

/// The region's outlines as one path in the panel.
std::string path_of(const std::vector<Outline>& outlines, int grid, Corner at) {
  const double cell = kSide / (grid - 1);
  std::string path;
  for (const Outline& outline : outlines) {
    char command = 'M';
    for (const auto& [x, y] : simplified(outline, 0.12 / cell)) {
      path += command + number(at.x + x * cell) + " " + number(at.y + y * cell);
      command = 'L';
    }
    path += 'Z';
  }
  return path;
}

void draw_field(std::ostream& out, const BoundaryPanel& panel, int grid, Corner at) {
  out << "<rect x=\"" << at.x << "\" y=\"" << at.y << "\" width=\"" << kSide << "\" height=\"" << kSide
      << "\" fill=\"" << kFill[0] << "\"/>\n";
  std::string boundary;
  for (int level = 1; level < kLevels; ++level) {
    const auto outlines =
        region_outlines(panel.probability, grid, grid, static_cast<double>(level) / kLevels);
    const std::string path = path_of(outlines, grid, at);
    if (path.empty()) break;
    out << "<path fill=\"" << kFill[level] << "\" fill-rule=\"evenodd\" d=\"" << path << "\"/>\n";
    if (level == kLevels / 2) boundary = path;
  }
  if (!boundary.empty()) out << "<path class=\"boundary\" d=\"" << boundary << "\"/>\n";
}

void draw_points(std::ostream& out, const BoundaryPanel& panel, const BoundaryPanel& frame, Corner at) {
  const double scale = kSide / (2 * frame.half_side);
  for (const std::int64_t label : {0, 1}) {
    out << "<g class=\"p\" fill=\"" << (label == 1 ? kClassOne : kClassZero) << "\">";
    for (const LabelledPoint& point : panel.points) {
      if (point.label != label) continue;
      out << "<circle cx=\"" << number(at.x + (point.x - frame.center_x + frame.half_side) * scale)
          << "\" cy=\"" << number(at.y + (frame.center_y + frame.half_side - point.y) * scale)
          << "\" r=\"2.6\"/>";
    }
    out << "</g>\n";
  }
}

/// Ticks at the left of the first column and below the last row, as figures with shared axes have them.
void draw_ticks(std::ostream& out, const BoundaryPanel& frame, Corner at, bool left, bool below) {
  const double step = report::nice_step(2 * frame.half_side, 4), scale = kSide / (2 * frame.half_side);
  const double x0 = frame.center_x - frame.half_side, y1 = frame.center_y + frame.half_side;
  const auto each = [&](double low, const auto& draw) {
    for (double i = std::ceil(low / step); i * step <= low + 2 * frame.half_side; ++i)
      draw(i == 0 ? 0 : i * step);
  };
  each(x0, [&](double value) {
    const double x = at.x + (value - x0) * scale;
    out << "<path class=\"tick\" d=\"M" << number(x) << " " << at.y + kSide << "v4\"/>";
    if (below)
      out << "<text x=\"" << number(x) << "\" y=\"" << at.y + kSide + 18 << "\" text-anchor=\"middle\">"
          << report::short_number(value) << "</text>";
  });
  each(frame.center_y - frame.half_side, [&](double value) {
    const double y = at.y + (y1 - value) * scale;
    out << "<path class=\"tick\" d=\"M" << at.x << " " << number(y) << "h-4\"/>";
    if (left)
      out << "<text x=\"" << at.x - 8 << "\" y=\"" << number(y + 4) << "\" text-anchor=\"end\">"
          << report::short_number(value) << "</text>";
  });
  out << "\n";
}

void draw_scale(std::ostream& out, Corner at, double height) {
  const double step = height / kLevels;
  for (int level = 0; level < kLevels; ++level)
    out << "<rect x=\"" << at.x << "\" y=\"" << number(at.y + height - (level + 1) * step)
        << "\" width=\"14\" height=\"" << number(step + 0.3) << "\" fill=\"" << kFill[level] << "\"/>";
  out << "<rect class=\"frame\" x=\"" << at.x << "\" y=\"" << at.y << "\" width=\"14\" height=\"" << height
      << "\"/>\n";
  for (int level = 0; level <= kLevels; level += 2)
    out << "<path class=\"tick\" d=\"M" << at.x + 14 << " " << number(at.y + height - level * step)
        << "h4\"/><text x=\"" << at.x + 22 << "\" y=\"" << number(at.y + height - level * step + 4) << "\">"
        << report::short_number(level / 10.0) << "</text>";
  out << "<text transform=\"translate(" << at.x + 60 << " " << number(at.y + height / 2)
      << ") rotate(-90)\" text-anchor=\"middle\">probability of class 1</text>\n";
}

void open_picture(std::ostream& out, double width, double height) {
  out << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " << width << ' ' << height << "\" width=\""
      << width << "\" height=\"" << height << "\">\n"
      << "<style>text{font:13px system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif;fill:#3b4148}"
         ".title{font-size:16px;font-weight:600;fill:#1d2126}"
         ".frame{fill:none;stroke:#3b4148;stroke-width:1.2}.tick{stroke:#3b4148;stroke-width:1}"
         ".boundary{fill:none;stroke:#1d2126;stroke-width:1.5;stroke-linejoin:round}"
         ".p{stroke:#fff;stroke-width:.7}</style>\n"
      << "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      << "<clipPath id=\"panel\"><rect width=\"" << kSide << "\" height=\"" << kSide << "\"/></clipPath>\n";
}

}  // namespace

std::string boundary_figure(const std::vector<BoundaryFigurePanel>& panels, int grid, int columns) {
  NM_CHECK(!panels.empty() && columns >= 1, "[boundary_figure] expects panels and at least one column");
  const int count = static_cast<int>(panels.size());
  const int across = std::min(count, columns), down = (count + across - 1) / across;
  const double width = kLeft + across * (kSide + kGap) - kGap + kScale + 16;
  const double height = down * (kSide + kTitle) + kBottom;
  const BoundaryPanel& frame = *panels.front().panel;
  std::ostringstream out;
  open_picture(out, width, height);
  for (int i = 0; i < count; ++i) {
    const BoundaryFigurePanel& shown = panels[static_cast<std::size_t>(i)];
    const Corner at{kLeft + i % across * (kSide + kGap), kTitle + i / across * (kSide + kTitle)};
    out << "<text class=\"title\" x=\"" << at.x << "\" y=\"" << at.y - 26 << "\">"
        << report::escape(shown.panel->title) << "</text><text class=\"accuracy\" x=\"" << at.x << "\" y=\""
        << at.y - 9 << "\">test accuracy " << report::escape(shown.accuracy) << "</text>\n";
    out << "<g transform=\"translate(" << at.x << " " << at.y << ")\" clip-path=\"url(#panel)\">\n";
    draw_field(out, *shown.panel, grid, {0, 0});
    draw_points(out, *shown.panel, frame, {0, 0});
    out << "</g>\n<rect class=\"frame\" x=\"" << at.x << "\" y=\"" << at.y << "\" width=\"" << kSide
        << "\" height=\"" << kSide << "\"/>\n";
    draw_ticks(out, frame, at, i % across == 0, i + across >= count);
  }
  draw_scale(out, {width - kScale, kTitle}, kSide);
  out << "</svg>\n";
  return out.str();
}

}  // namespace noisymix
