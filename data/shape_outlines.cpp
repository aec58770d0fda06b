#include "data/shape_outlines.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <span>
#include <vector>

#include "engine/error.h"

namespace noisymix {
namespace {

struct Point {
  double x, y;
};

double disc(double x, double y, double radius) {
  return std::hypot(x, y) - radius;
}

/// Any simple polygon: distance to the nearest edge, sign by the even-odd rule.
double polygon(std::span<const Point> corners, double x, double y) {
  double nearest = std::numeric_limits<double>::infinity();
  bool inside = false;
  Point a = corners.back();
  for (const Point b : corners) {
    const double ex = b.x - a.x, ey = b.y - a.y, px = x - a.x, py = y - a.y;
    const double t = std::clamp((px * ex + py * ey) / (ex * ex + ey * ey), 0.0, 1.0);
    const double dx = px - t * ex, dy = py - t * ey;
    nearest = std::min(nearest, dx * dx + dy * dy);
    if ((a.y > y) != (b.y > y) && px < py / ey * ex) inside = !inside;
    a = b;
  }
  return inside ? -std::sqrt(nearest) : std::sqrt(nearest);
}

/// Corners on circles of alternating radii, the first one on top.
std::vector<Point> rosette(int corners, double outer, double inner) {
  std::vector<Point> result;
  for (int i = 0; i < corners; ++i) {
    const double angle = 2 * std::numbers::pi * i / corners, radius = i % 2 == 0 ? outer : inner;
    result.push_back({radius * std::sin(angle), -radius * std::cos(angle)});
  }
  return result;
}

double regular(int corners, double radius, double x, double y) {
  static const std::vector<Point> triangle = rosette(3, 1, 1), square = rosette(4, 1, 1),
                                  hexagon = rosette(6, 1, 1);
  const auto& unit = corners == 3 ? triangle : corners == 4 ? square : hexagon;
  return radius * polygon(unit, x / radius, y / radius);
}

double star(double x, double y) {
  static const std::vector<Point> corners = rosette(10, 1.2, 0.5);
  return polygon(corners, x, y);
}

double cross(double x, double y) {
  constexpr double arm = 0.34, end = 1.05;  // one quadrant is enough: the cross is symmetric
  const double u = std::abs(x), v = std::abs(y);
  const auto bar = [](double across, double along) {
    const double dx = across - arm, dy = along - end;
    return std::min(std::max(dx, dy), 0.0) + std::hypot(std::max(dx, 0.0), std::max(dy, 0.0));
  };
  return std::min(bar(u, v), bar(v, u));
}

double crescent(double x, double y) {
  return std::max(disc(x + 0.1, y, 1.05), -disc(x - 0.38, y, 0.85));
}

double heart(double x, double y) {
  // Two discs over a wedge whose sides touch them.
  static constexpr Point wedge[] = {{0, -0.35}, {0.88, 0.13}, {0, 1.1}, {-0.88, 0.13}};
  return std::min(disc(std::abs(x) - 0.48, y + 0.28, 0.57), polygon(wedge, x, y));
}

double arrow(double x, double y) {
  static constexpr Point corners[] = {{0, -1.15},   {0.85, -0.1},  {0.32, -0.1}, {0.32, 1.1},
                                      {-0.32, 1.1}, {-0.32, -0.1}, {-0.85, -0.1}};
  return polygon(corners, x, y);
}

}  // namespace

double outline_distance(int which, double x, double y) {
  switch (which) {
    case 0:
      return disc(x, y, 0.92);
    case 1:
      return std::abs(disc(x, y, 0.76)) - 0.24;
    case 2:
      return regular(3, 1.2, x, y + -0.1);
    case 3:
      return regular(4, 1.2, x, y);
    case 4:
      return star(x, y);
    case 5:
      return cross(x, y);
    case 6:
      return crescent(x, y);
    case 7:
      return regular(6, 1.02, x, y);
    case 8:
      return heart(x, y);
    case 9:
      return arrow(x, y);
    default:
      NM_ASSERT(false && "unknown outline");
  }
  return 0;
}

}  // namespace noisymix
