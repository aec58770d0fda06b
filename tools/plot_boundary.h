// What a network of points has learnt: the probability of class 1 over the plane, as filled contours.
#pragma once

#include <string>
#include <vector>

#include "augment/image.h"
#include "tools/checkpoint.h"

namespace noisymix {

struct BoundaryPlotOptions {
  int columns = 0;  ///< panels side by side; 0 chooses
  int grid = 200;   ///< evaluations per axis
  int side = 400;   ///< of a panel, in pixels
};

struct LabelledPoint {
  double x = 0, y = 0;
  std::int64_t label = 0;
};

/// One trained model over a square of the plane.
struct BoundaryPanel {
  std::string title;
  double accuracy = 0;                ///< on the test split, in [0, 1]
  double center_x = 0, center_y = 0;  ///< of the square
  double half_side = 1;
  std::vector<double> probability;    ///< of class 1, [grid, grid], from the upper left corner along rows
  std::vector<LabelledPoint> points;  ///< the test split
};

/// Evaluates a run on a two-class set of points. Throws ConfigError for other data.
BoundaryPanel compute_boundary(const LoadedRun& run, const BoundaryPlotOptions& options);

/// The same for a model that holds no files, trained as `config` says.
BoundaryPanel compute_boundary(Model& model, const Config& config, const BoundaryPlotOptions& options);

/// The panels in a grid, each with its title and accuracy above, one colour bar at the right.
Image draw_boundaries(const std::vector<BoundaryPanel>& panels, const BoundaryPlotOptions& options);

}  // namespace noisymix
