// The energy that a mask of PuzzleMix minimises: what it hides, how it departs from the prior, its seams.
#pragma once

#include "augment/mixing/puzzlemix/alpha_beta_swap.h"
#include "augment/mixing/puzzlemix/puzzlemix.h"

namespace noisymix {

/// Means of the cells of one image in [0, 1], [n][n][channels].
struct CellMeans {
  const double* own;
  const double* partner;
  std::int64_t side, channels;
};

/// Shares of the saliency of each block, [m][m], for an image and its partner; each sums to 1.
struct BlockSaliency {
  const double* own;
  const double* partner;
};

/// Energy of the labels l = 0 .. labels - 1, which stand for mask values z = 1 - l / (labels - 1):
/// sum_i z_i U2_i + (1 - z_i) U1_i + eta / m^2 prior(z_i) + sum over edges w (z_i - z_j)^2, with the cost of
/// the seams folded into U1, U2 and w; in whole numbers as PuzzleMixOptions::cost_scale says. The number of
/// cells must be a multiple of that of blocks.
GridEnergy mask_energy(const PuzzleMixOptions& options, std::int64_t blocks, double lambda,
                       const BlockSaliency& saliency, const CellMeans& cells);

}  // namespace noisymix
