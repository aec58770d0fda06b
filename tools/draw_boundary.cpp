// A BoundaryPanel as pixels: filled contours at steps of 0.1, a line at 0.5, points on top.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "engine/error.h"
#include "tools/bitmap_font.h"
#include "tools/plot_boundary.h"

namespace noisymix {
namespace {

constexpr int kMargin = 24, kGap = 28, kTitle = 34, kBarWidth = 16, kBarSpace = 84, kLevels = 10;
constexpr Rgb kInk{38, 42, 51}, kFrame{120, 126, 138}, kPaper{255, 255, 255};
constexpr Rgb kClassZero{29, 91, 165}, kClassOne{196, 78, 24};

Rgb blend(Rgb a, Rgb b, double share) {
  const auto mix = [share](std::uint8_t x, std::uint8_t y) {
    return static_cast<std::uint8_t>(std::lround(x + (y - x) * std::clamp(share, 0.0, 1.0)));
  };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

// Colour of the contour level a probability falls into: from a soft class-0 colour over near white to
// class 1.
Rgb level_color(double p) {
  const int level = std::clamp(static_cast<int>(p * kLevels), 0, kLevels - 1);
  const double distance = (level + 0.5) / kLevels * 2 - 1;  // -0.9 .. 0.9
  return blend(Rgb{250, 249, 246}, distance < 0 ? kClassZero : kClassOne, 0.62 * std::abs(distance));
}

void put(Image& image, int x, int y, Rgb color, double share = 1) {
  if (x < 0 || y < 0 || x >= image.width || y >= image.height) return;
  std::uint8_t* pixel = image.row(y) + 3 * x;
  const Rgb result = blend({pixel[0], pixel[1], pixel[2]}, color, share);
  pixel[0] = result.r;
  pixel[1] = result.g;
  pixel[2] = result.b;
}

void fill_rectangle(Image& image, int x, int y, int width, int height, Rgb color) {
  for (int j = y; j < y + height; ++j) {
    for (int i = x; i < x + width; ++i) put(image, i, j, color);
  }
}

void outline(Image& image, int x, int y, int width, int height) {
  fill_rectangle(image, x, y, width, 1, kFrame);
  fill_rectangle(image, x, y + height - 1, width, 1, kFrame);
  fill_rectangle(image, x, y, 1, height, kFrame);
  fill_rectangle(image, x + width - 1, y, 1, height, kFrame);
}

// A disc with smooth edge: pixels at the rim are covered in part.
void disc(Image& image, double x, double y, double radius, Rgb color) {
  for (int j = static_cast<int>(y - radius - 1); j <= static_cast<int>(y + radius + 1); ++j) {
    for (int i = static_cast<int>(x - radius - 1); i <= static_cast<int>(x + radius + 1); ++i) {
      put(image, i, j, color, std::clamp(radius + 0.5 - std::hypot(i + 0.5 - x, j + 0.5 - y), 0.0, 1.0));
    }
  }
}

// The panel's probability between its grid points, u and v in [0, 1] from the upper left corner.
double interpolate(const BoundaryPanel& panel, int grid, double u, double v) {
  const double column = std::clamp(u, 0.0, 1.0) * (grid - 1), row = std::clamp(v, 0.0, 1.0) * (grid - 1);
  const int c = std::min(static_cast<int>(column), grid - 2), r = std::min(static_cast<int>(row), grid - 2);
  const auto at = [&](int i, int j) { return panel.probability[static_cast<std::size_t>(i * grid + j)]; };
  const double upper = std::lerp(at(r, c), at(r, c + 1), column - c);
  return std::lerp(upper, std::lerp(at(r + 1, c), at(r + 1, c + 1), column - c), row - r);
}

// Distance to the 0.5 line in pixels, from the value and the local slope.
double boundary_distance(const BoundaryPanel& panel, int grid, double u, double v, double pixel) {
  const double p = interpolate(panel, grid, u, v);
  const double du = interpolate(panel, grid, u + pixel, v) - interpolate(panel, grid, u - pixel, v);
  const double dv = interpolate(panel, grid, u, v + pixel) - interpolate(panel, grid, u, v - pixel);
  return std::abs(p - 0.5) / std::max(std::hypot(du, dv) / 2, 1e-9);
}

void draw_field(Image& image, const BoundaryPanel& panel, int x, int y, const BoundaryPlotOptions& options) {
  constexpr int kSamples = 3;  // per pixel and axis, for smooth contours
  const double pixel = 1.0 / options.side;
  for (int j = 0; j < options.side; ++j) {
    for (int i = 0; i < options.side; ++i) {
      int r = 0, g = 0, b = 0;
      for (int s = 0; s < kSamples * kSamples; ++s) {
        const double u = (i + (s % kSamples + 0.5) / kSamples) * pixel;
        const double v = (j + (s / kSamples + 0.5) / kSamples) * pixel;
        const Rgb color = level_color(interpolate(panel, options.grid, u, v));
        r += color.r;
        g += color.g;
        b += color.b;
      }
      constexpr int n = kSamples * kSamples;
      put(image, x + i, y + j,
          {static_cast<std::uint8_t>(r / n), static_cast<std::uint8_t>(g / n),
           static_cast<std::uint8_t>(b / n)});
      const double distance =
          boundary_distance(panel, options.grid, (i + 0.5) * pixel, (j + 0.5) * pixel, pixel);
      put(image, x + i, y + j, kInk, 0.85 * std::clamp(1.4 - distance, 0.0, 1.0));
    }
  }
}

void draw_panel(Image& image, const BoundaryPanel& panel, int x, int y, const BoundaryPlotOptions& options) {
  char accuracy[16];
  std::snprintf(accuracy, sizeof accuracy, "%.1f %%", 100 * panel.accuracy);
  const int accuracy_width = text_width(accuracy, 2), text_y = y + kTitle - 24;
  const auto room =
      static_cast<std::size_t>(std::max(0, options.side - accuracy_width - 24) / (2 * kGlyphAdvance));
  draw_text(image, x, text_y, panel.title.substr(0, room), 2, kInk);
  draw_text(image, x + options.side - accuracy_width, text_y, accuracy, 2, kInk);

  const int top = y + kTitle;
  draw_field(image, panel, x, top, options);
  const double scale = options.side / (2 * panel.half_side);
  for (const LabelledPoint& point : panel.points) {
    const double px = x + (point.x - panel.center_x + panel.half_side) * scale;
    const double py = top + (panel.center_y + panel.half_side - point.y) * scale;
    disc(image, px, py, 4.4, kPaper);
    disc(image, px, py, 3.3, point.label == 1 ? kClassOne : kClassZero);
  }
  outline(image, x, top, options.side, options.side);
}

void draw_color_bar(Image& image, int x, int y, int height) {
  for (int j = 0; j < height; ++j) {
    fill_rectangle(image, x, y + j, kBarWidth, 1, level_color(1 - (j + 0.5) / height));
  }
  outline(image, x, y, kBarWidth, height);
  for (const double p : {0.0, 0.5, 1.0}) {
    char label[16];
    std::snprintf(label, sizeof label, "%g", p);
    const int line = y + static_cast<int>(std::lround((1 - p) * (height - 1)));
    fill_rectangle(image, x + kBarWidth, line, 4, 1, kFrame);
    const int text_y = std::clamp(line - kGlyphHeight, y, y + height - 2 * kGlyphHeight);
    draw_text(image, x + kBarWidth + 8, text_y, label, 2, kInk);
  }
}

}  // namespace

Image draw_boundaries(const std::vector<BoundaryPanel>& panels, const BoundaryPlotOptions& options) {
  NM_CHECK_AS(ConfigError, !panels.empty(), "nothing to draw: no panels");
  const int count = static_cast<int>(panels.size());
  const int automatic = count <= 3 ? count : count == 4 ? 2 : count <= 6 ? 3 : 4;
  const int columns = std::min(count, options.columns > 0 ? options.columns : automatic);
  const int rows = (count + columns - 1) / columns;
  const int cell_width = options.side + kGap, cell_height = options.side + kTitle + kGap / 2;
  Image image(2 * kMargin + rows * cell_height - kGap / 2 - kTitle / 4,
              2 * kMargin + columns * cell_width - kGap + kBarSpace, 3);
  std::fill(image.pixels.begin(), image.pixels.end(), std::uint8_t{255});
  for (int i = 0; i < count; ++i) {
    draw_panel(image, panels[static_cast<std::size_t>(i)], kMargin + i % columns * cell_width,
               kMargin / 2 + i / columns * cell_height, options);
  }
  draw_color_bar(image, image.width - kMargin - kBarSpace + kGap, kMargin / 2 + kTitle, options.side);
  return image;
}

}  // namespace noisymix
