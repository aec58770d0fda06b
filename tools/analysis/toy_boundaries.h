// The decision boundaries that the papers' training schemes learn on their toy sets (NFM paper, appendix F.2;
// NoisyMix paper, appendix A): every scheme trained in memory, one figure with a panel each.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/device.h"
#include "tools/evaluation/compare.h"
#include "tools/plot_boundary.h"

namespace noisymix {

enum class ToySet { circles, polygon };

/// Ready configurations of the set's schemes, in the order of the paper's figure.
std::vector<std::string> toy_schemes(ToySet set);

struct ToyBoundaryOptions {
  ToySet set = ToySet::polygon;
  int seeds = 1;  ///< trainings of each scheme with train.seed = 1, 2, ...; points stay the same
  std::vector<std::string> overrides;  ///< "section.key=value" for every scheme
  int grid = 200;                      ///< evaluations per axis
  Device device;
  std::function<bool()> should_stop;  ///< asked after every step
};

struct ToyBoundary {
  std::string config;   ///< name of the ready configuration
  BoundaryPanel panel;  ///< of the seed with the median accuracy (the lower of two), the first one of equals
  int drawn_seed = 1;
  std::vector<double> accuracies;  ///< on the test points, per seed
  SeedSpread accuracy;
};

/// Trains nothing to disk. `progress` hears the scheme's title and how many trainings are done. A training
/// that is stopped ends the list before its scheme.
std::vector<ToyBoundary> toy_boundaries(
    const ToyBoundaryOptions& options,
    const std::function<void(const std::string& title, int done, int total)>& progress = {});

std::string toy_boundaries_json(const ToyBoundaryOptions& options, const std::vector<ToyBoundary>& schemes);
/// A line per scheme and seed.
std::string toy_boundaries_csv(const std::vector<ToyBoundary>& schemes);

/// What stands in a panel of the figure.
struct BoundaryFigurePanel {
  const BoundaryPanel* panel = nullptr;
  std::string accuracy;  ///< "87.2 %" or "87.2 ± 0.4 %"
};
/// The figure as SVG on white: filled contours of the probability of class 1 at steps of 0.1, the boundary,
/// the test points, equal axes, a colour scale. All panels share the square of the first.
std::string boundary_figure(const std::vector<BoundaryFigurePanel>& panels, int grid, int columns);

/// The figure of a study: four panels in a row for the circles, three for the polygon.
std::string toy_boundaries_svg(const ToyBoundaryOptions& options, const std::vector<ToyBoundary>& schemes);

}  // namespace noisymix
