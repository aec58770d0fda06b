// Labels for the nodes of a small grid by alpha-beta swaps, each an exact minimum cut.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/mixing/puzzlemix/max_flow.h"

namespace noisymix {

/// E(l) = sum_i unary[i][l_i] + sum over edges of weight (l_i - l_j)^2 for labels l_i in 0 .. labels - 1 on a
/// side x side grid with its horizontal and vertical edges.
struct GridEnergy {
  std::int64_t side = 0, labels = 0;
  std::vector<std::int64_t> unary;  ///< [side][side][labels]
  std::vector<std::int64_t> right;  ///< [side][side - 1], edge to the right neighbour; at least 0
  std::vector<std::int64_t> down;   ///< [side - 1][side], edge to the neighbour below; at least 0

  std::int64_t of(const std::vector<std::uint8_t>& labelling) const;
};

/// Minimises energies one after the other; an object keeps its memory between them.
class AlphaBetaSwap {
 public:
  /// A labelling that no swap improves: whatever nodes of two labels exchange these, the energy does not
  /// fall. With two labels it is a global minimum. Begins with label 0 everywhere and takes the pairs in the
  /// order (0, n - 1), (0, n - 2), .., (1, n - 1), .. until none of them has improved anything. Throws
  /// ShapeError when sizes do not fit or a weight is negative.
  std::vector<std::uint8_t> minimise(const GridEnergy& energy);

 private:
  bool swap(const GridEnergy& energy, std::uint8_t alpha, std::uint8_t beta,
            std::vector<std::uint8_t>& labelling, std::int64_t& best);

  GridCut cut_;
  std::vector<std::uint8_t> candidate_;
};

}  // namespace noisymix
