#include "tools/analysis/contours.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "engine/error.h"

namespace noisymix {
namespace {

// The grid inside a border of values below every level, so that all outlines close. Point (r, c) of the
// bordered grid is point (r - 1, c - 1) of the given one; crossings towards the border lie on its edge.
class Bordered {
 public:
  Bordered(const std::vector<double>& values, int rows, int columns, double level)
      : values_(values), rows_(rows), columns_(columns), level_(level) {}

  int cells_down() const { return rows_ + 1; }
  int cells_across() const { return columns_ + 1; }
  bool border(int r, int c) const { return r < 1 || c < 1 || r > rows_ || c > columns_; }
  double at(int r, int c) const {
    return border(r, c) ? -HUGE_VAL : values_[static_cast<std::size_t>((r - 1) * columns_ + c - 1)];
  }
  bool inside(int r, int c) const { return !border(r, c) && at(r, c) >= level_; }

  /// Where the level is crossed between two neighbours, one of which is inside.
  std::array<double, 2> crossing(int r0, int c0, int r1, int c1) const {
    double share = inside(r0, c0) ? 0 : 1;  // towards the border: at the inner point
    if (!border(r0, c0) && !border(r1, c1))
      share = std::clamp((level_ - at(r0, c0)) / (at(r1, c1) - at(r0, c0)), 0.0, 1.0);
    return {c0 - 1 + share * (c1 - c0), r0 - 1 + share * (r1 - r0)};
  }
  /// Whether the middle of a cell is inside; cells at the border have none.
  bool middle(int r, int c) const {
    return !border(r, c) && !border(r + 1, c + 1) &&
           (at(r, c) + at(r, c + 1) + at(r + 1, c) + at(r + 1, c + 1)) / 4 >= level_;
  }

 private:
  const std::vector<double>& values_;
  int rows_, columns_;
  double level_;
};

/// An edge between grid points: above (0) or left of (1) cell (row, column).
using Edge = std::array<int, 3>;

/// The pieces of outline of all cells: every edge leads to the next with the inside on its right.
std::map<Edge, Edge> trace(const Bordered& grid) {
  std::map<Edge, Edge> next;
  for (int r = 0; r < grid.cells_down(); ++r) {
    for (int c = 0; c < grid.cells_across(); ++c) {
      // Corners clockwise from the upper left; side i lies between corners i and i + 1.
      const std::array<bool, 4> in = {grid.inside(r, c), grid.inside(r, c + 1), grid.inside(r + 1, c + 1),
                                      grid.inside(r + 1, c)};
      const std::array<Edge, 4> side = {Edge{0, r, c}, Edge{1, r, c + 1}, Edge{0, r + 1, c}, Edge{1, r, c}};
      std::vector<int> enter, leave;  // sides where a clockwise walk enters or leaves the region
      for (int i = 0; i < 4; ++i) {
        const bool here = in[static_cast<std::size_t>(i)], then = in[static_cast<std::size_t>((i + 1) % 4)];
        if (!here && then) enter.push_back(i);
        if (here && !then) leave.push_back(i);
      }
      // Of a saddle the middle decides whether its two inside corners are joined.
      const bool joined = enter.size() == 2 && grid.middle(r, c);
      for (std::size_t i = 0; i < enter.size(); ++i) {
        // The stretch that is entered at a side is left at the next side of the other kind.
        const auto after = [&](int from) {
          for (int k = 1; k <= 4; ++k)
            if (std::find(leave.begin(), leave.end(), (from + k) % 4) != leave.end()) return (from + k) % 4;
          return leave.front();
        };
        int to = after(enter[i]);
        if (joined) to = leave[0] == to ? leave[1] : leave[0];
        next.emplace(side[static_cast<std::size_t>(enter[i])], side[static_cast<std::size_t>(to)]);
      }
    }
  }
  return next;
}

std::array<double, 2> place(const Bordered& grid, const Edge& edge) {
  const auto [kind, r, c] = edge;
  return kind == 0 ? grid.crossing(r, c, r, c + 1) : grid.crossing(r, c, r + 1, c);
}

double distance_to_line(const std::array<double, 2>& p, const std::array<double, 2>& a,
                        const std::array<double, 2>& b) {
  const double dx = b[0] - a[0], dy = b[1] - a[1], length = std::hypot(dx, dy);
  if (length == 0) return std::hypot(p[0] - a[0], p[1] - a[1]);
  return std::abs((p[0] - a[0]) * dy - (p[1] - a[1]) * dx) / length;
}

void keep_between(const Outline& points, std::size_t first, std::size_t last, double tolerance,
                  std::vector<bool>& kept) {
  std::vector<std::pair<std::size_t, std::size_t>> stretches{{first, last}};
  while (!stretches.empty()) {
    const auto [from, to] = stretches.back();
    stretches.pop_back();
    double largest = tolerance;
    std::size_t farthest = 0;
    for (std::size_t i = from + 1; i < to; ++i) {
      const double distance = distance_to_line(points[i], points[from], points[to]);
      if (distance > largest) largest = distance, farthest = i;
    }
    if (farthest == 0) continue;
    kept[farthest] = true;
    stretches.emplace_back(from, farthest);
    stretches.emplace_back(farthest, to);
  }
}

}  // namespace

std::vector<Outline> region_outlines(const std::vector<double>& values, int rows, int columns, double level) {
  NM_CHECK(rows >= 2 && columns >= 2 &&
               values.size() == static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns),
           "[region_outlines] expects at least two rows and columns and a value for each point, got ", rows,
           " x ", columns, " and ", values.size(), " values");
  const Bordered grid(values, rows, columns, level);
  std::map<Edge, Edge> next = trace(grid);
  std::vector<Outline> outlines;
  while (!next.empty()) {
    Outline outline;
    const Edge start = next.begin()->first;
    Edge edge = start;
    do {
      const auto step = next.find(edge);
      NM_CHECK(step != next.end(), "[region_outlines] an outline does not close");
      const auto point = place(grid, edge);
      if (outline.empty() || outline.back() != point) outline.push_back(point);
      edge = step->second;
      next.erase(step);
    } while (edge != start);
    if (outline.size() > 1 && outline.front() == outline.back()) outline.pop_back();
    if (outline.size() > 2) outlines.push_back(std::move(outline));
  }
  return outlines;
}

Outline simplified(const Outline& outline, double tolerance) {
  if (outline.size() < 4) return outline;
  Outline points = outline;
  points.push_back(outline.front());
  // Two points that stay: the first one, and the one farthest from it.
  std::size_t opposite = 1;
  for (std::size_t i = 1; i < outline.size(); ++i)
    if (std::hypot(points[i][0] - points[0][0], points[i][1] - points[0][1]) >
        std::hypot(points[opposite][0] - points[0][0], points[opposite][1] - points[0][1]))
      opposite = i;
  std::vector<bool> kept(points.size(), false);
  kept[0] = kept[opposite] = true;
  keep_between(points, 0, opposite, tolerance, kept);
  keep_between(points, opposite, points.size() - 1, tolerance, kept);
  Outline result;
  for (std::size_t i = 0; i < outline.size(); ++i)
    if (kept[i]) result.push_back(outline[i]);
  return result;
}

}  // namespace noisymix
