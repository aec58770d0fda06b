// PuzzleMix: pairs of images are put together block by block, so that what is salient in either is seen,
// after cells have been moved to where their image is visible. docs/mixing.md walks through it.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/image.h"
#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

struct PuzzleMixOptions {
  double alpha = 1;         ///< lambda ~ Beta(alpha, alpha), the prior's share of the own image; 0 means 1
  std::int64_t labels = 3;  ///< values of the mask, evenly spaced from 1 to 0
  double eta = 0.2;         ///< weight of the prior
  double beta = 1.2;        ///< weight of equal neighbours (label smoothness)
  double gamma = 0.5;       ///< weight of fitting pixels at the seams, relative to beta; 0 .. 1
  std::int64_t neighbourhood = 4;   ///< pixels along a cell whose means are compared at the seams
  bool transport = true;            ///< move cells
  std::int64_t transport_cell = 4;  ///< pixels along a cell that is moved
  double t_eps = 0.8;               ///< price of moving it by the length of the image
  std::vector<std::int64_t> block_counts = {2, 4, 8, 16};  ///< blocks along a side, drawn uniformly
  double cost_scale = 1000;  ///< costs are multiplied by this and the number of blocks, then truncated
};

/// All draws of one training step.
struct PuzzleMixDraw {
  std::int64_t blocks = 0;  ///< along a side
  double lambda = 1;
  std::vector<std::int64_t> permutation;
};

struct PuzzleMixed {
  Tensor images;                          ///< like the unmixed ones
  Tensor shares;                          ///< f32 [b], of its own image in each picture: the mask's mean
  std::vector<std::int64_t> permutation;  ///< partners
};

/// Draws for a batch of square images with `side` pixels along a side; below `key` are the streams "blocks",
/// "lambda" and "permutation". Throws ConfigError for settings out of range, ShapeError when a number of
/// blocks does not divide the side, so also for images smaller than the grid.
PuzzleMixDraw draw_puzzlemix(const PuzzleMixOptions& options, std::int64_t batch, std::int64_t side, Key key);

/// Mixes images [views * b, s, s, c], normalised, f32 or f64 on any device, by the saliency [b, s, s] of
/// their first view (input_saliency(); finite and not negative, only its ratios within an image matter): the
/// masks and moves of the first view serve all. An image without any usable saliency counts as equally
/// salient everywhere. Masks are found on the CPU, the same for any number of threads; images stay on their
/// device and are not recorded. Cells of the two settings above are made smaller where they would not divide
/// a block. Throws as draw_puzzlemix().
PuzzleMixed apply_puzzlemix(const PuzzleMixDraw& draw, const PuzzleMixOptions& options, const Tensor& images,
                            const Tensor& saliency, const Normalization& normalization,
                            std::int64_t views = 1);

/// Both, with the draws of `key`.
PuzzleMixed puzzlemix(const PuzzleMixOptions& options, const Tensor& images, const Tensor& saliency,
                      const Normalization& normalization, Key key, std::int64_t views = 1);

}  // namespace noisymix
