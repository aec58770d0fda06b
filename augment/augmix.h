// AugMix: a convex mixture of an image and randomly composed operations on it.
//
// Draws for one image, all from sub-streams of its key, so that no option shifts another option's draws:
//   "severity"    randint 1..10, when random_severity is on
//   "weights"     w ~ Dirichlet(alpha, ...), one weight per chain
//   "skip"        m ~ Beta(alpha, alpha)
//   "chain", i    block 0: the depth, randint 1..3 unless fixed; block k: operation k's index in the list,
//   its level
//                 U(0.1, severity) and its sign, in this order from words 0, 1 and 2
#pragma once

#include <vector>

#include "augment/image.h"
#include "engine/key.h"

namespace noisymix {

struct AugMixOptions {
  int severity = 3;              ///< 1..10; operation levels are uniform on [0.1, severity]
  int width = 3;                 ///< number of chains
  int depth = -1;                ///< operations per chain; -1 draws 1..3 per chain
  double alpha = 1.0;            ///< Dirichlet(alpha) chain weights and Beta(alpha, alpha) skip weight
  bool all_operations = false;   ///< also color, contrast, brightness, sharpness
  bool random_severity = false;  ///< draw the severity 1..10 per image (DiGN)
};

/// In the order of the operation list; the last four only with all_operations.
enum class Operation {
  autocontrast,
  equalize,
  posterize,
  rotate,
  solarize,
  shear_x,
  shear_y,
  translate_x,
  translate_y,
  color,
  contrast,
  brightness,
  sharpness
};
inline constexpr int kOperations = 9, kAllOperations = 13;
const char* name_of(Operation operation);

/// One operation of a chain as drawn.
struct ChainStep {
  Operation operation = Operation::autocontrast;
  double level = 0.1;    ///< U(0.1, severity)
  bool negated = false;  ///< sign of angles, shears and translations
};

/// All draws of one mixture.
struct AugMixDraw {
  std::vector<double> weights;  ///< per chain, sum 1
  double skip = 0;              ///< m, the share of the chains
  std::vector<std::vector<ChainStep>> chains;
};

/// What the operation takes: bits kept, threshold, degrees, shear factor, pixels or blend factor; 0 for
/// autocontrast and equalize. `side` is the image's extent along the direction of a translation.
double step_parameter(const ChainStep& step, int side);

/// Throws ConfigError when an option is out of range.
void check_augmix(const AugMixOptions& options);

/// Draws into `draw`, whose memory is reused.
void draw_augmix(const AugMixOptions& options, Key key, AugMixDraw& draw);

/// Applies the steps in order; `result` and `spare` are distinct from `image` and from each other.
void run_chain(const Image& image, const std::vector<ChainStep>& steps, Image& result, Image& spare);

/// out = (1 - m) P(image) + m sum_i w_i P(chain_i(image)), P = normalisation; height x width x channels
/// floats. Chains are bytes, the mixture is not rounded.
void augmix(const Image& image, const AugMixDraw& draw, const Normalization& normalization, float* out);

/// The same with draws from `key`: a pure function of image, key and options.
void augmix(const Image& image, Key key, const AugMixOptions& options, const Normalization& normalization,
            float* out);

}  // namespace noisymix
