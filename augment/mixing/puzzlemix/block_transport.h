// Where PuzzleMix moves the cells of an image, so that what is salient comes to lie where the mask shows it.
#pragma once

#include <cstdint>
#include <vector>

namespace noisymix {

/// Plans for images of side x side cells. Every cell looks for a target: cell i at target j costs
/// t_eps distance(i, j)^2 / (side - 1)^2 - saliency_i visible_j. In each of `side` rounds every cell chooses
/// its cheapest target (the first of equal ones), each target keeps the cheapest of those that chose it
/// (again the first), and for the others this target becomes dearer by 1.
class BlockTransport {
 public:
  /// Throws ShapeError for a side outside 2 .. 64, ConfigError for a negative t_eps.
  BlockTransport(std::int64_t side, double t_eps);

  std::int64_t side() const { return side_; }

  /// source[j] = the cell that the last round moves to target j, or -1 where no cell goes. saliency and
  /// visible hold side * side entries, visible 0 or 1. const: threads may share the object.
  std::vector<std::int64_t> plan(const float* saliency, const float* visible) const;

 private:
  std::int64_t side_, row_;      // cells along a side; floats per row of costs, a multiple of 16
  std::vector<float> distance_;  // t_eps distance^2 / (side - 1)^2, [cell][row_], infinite beyond the targets
};

}  // namespace noisymix
