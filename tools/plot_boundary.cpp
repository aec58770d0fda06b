// The numbers of a decision boundary: model and data to a BoundaryPanel. Drawing is in draw_boundary.cpp.
#include "tools/plot_boundary.h"

#include <algorithm>
#include <cmath>

#include "engine/autograd.h"
#include "engine/error.h"
#include "tools/training_setup.h"

namespace noisymix {
namespace {

// Probability of class 1 for points [n, 2].
std::vector<double> class_one(Model& model, const std::vector<float>& points) {
  const auto n = static_cast<std::int64_t>(points.size() / 2);
  const std::vector<float> logits =
      model(Tensor::from(points, {n, 2}, model.device()), Context::evaluation()).to_vector<float>();
  std::vector<double> p;
  for (std::size_t i = 0; i < logits.size(); i += 2) {
    p.push_back(1 / (1 + std::exp(static_cast<double>(logits[i]) - static_cast<double>(logits[i + 1]))));
  }
  return p;
}

std::vector<LabelledPoint> points_of(const Dataset& data) {
  std::vector<LabelledPoint> points;
  for (std::int64_t i = 0; i < data.size(); ++i) {
    const Example example = data.get(i);
    points.push_back({example.features[0], example.features[1], example.label});
  }
  return points;
}

// The square around all points with a margin, so that panels of one data set share their axes.
void frame(const std::vector<LabelledPoint>& points, BoundaryPanel& panel) {
  const auto [left, right] = std::minmax_element(points.begin(), points.end(),
                                                 [](const auto& a, const auto& b) { return a.x < b.x; });
  const auto [bottom, top] = std::minmax_element(points.begin(), points.end(),
                                                 [](const auto& a, const auto& b) { return a.y < b.y; });
  panel.center_x = (left->x + right->x) / 2;
  panel.center_y = (bottom->y + top->y) / 2;
  panel.half_side = 0.54 * std::max({right->x - left->x, top->y - bottom->y, 1e-6});
}

std::vector<float> grid_points(const BoundaryPanel& panel, int grid) {
  std::vector<float> points;
  const double step = 2 * panel.half_side / (grid - 1);
  for (int row = 0; row < grid; ++row) {
    for (int column = 0; column < grid; ++column) {
      points.push_back(static_cast<float>(panel.center_x - panel.half_side + column * step));
      points.push_back(static_cast<float>(panel.center_y + panel.half_side - row * step));
    }
  }
  return points;
}

}  // namespace

BoundaryPanel compute_boundary(Model& model, const Config& config, const BoundaryPlotOptions& options) {
  const NoGrad unrecorded;
  BoundaryPanel panel;
  panel.title = config.title.empty() ? config.data.name : config.title;
  panel.points = points_of(*open_split(config, false));
  std::vector<LabelledPoint> all = points_of(*open_split(config, true));
  all.insert(all.end(), panel.points.begin(), panel.points.end());
  frame(all, panel);
  panel.probability = class_one(model, grid_points(panel, options.grid));

  std::vector<float> test;
  for (const LabelledPoint& point : panel.points) {
    test.push_back(static_cast<float>(point.x));
    test.push_back(static_cast<float>(point.y));
  }
  const std::vector<double> p = class_one(model, test);
  std::size_t right = 0;
  for (std::size_t i = 0; i < p.size(); ++i) right += (p[i] > 0.5) == (panel.points[i].label == 1);
  panel.accuracy = static_cast<double>(right) / static_cast<double>(std::max<std::size_t>(p.size(), 1));
  return panel;
}

BoundaryPanel compute_boundary(const LoadedRun& run, const BoundaryPlotOptions& options) {
  NM_CHECK_AS(ConfigError, run.config.has_value(), run.weights.string(),
              ": decision boundaries need a run folder, to know the data");
  const bool fits = run.card.sample_shape == std::vector<std::int64_t>{2} && run.card.classes() == 2;
  NM_CHECK_AS(ConfigError, fits, run.weights.string(),
              ": decision boundaries need points in the plane with two classes (toy-* configurations)");
  return compute_boundary(*run.model, *run.config, options);
}

}  // namespace noisymix
