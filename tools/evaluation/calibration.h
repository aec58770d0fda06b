// Whether a model's confidence, its largest softmax probability, is the share of its answers that are right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tools/evaluation/results.h"

namespace noisymix {

inline constexpr int kEceBins = 15;       ///< of the expected calibration error in the papers' code
inline constexpr int kPooledBins = 16;    ///< DiGN: ceil(1 / 0.0666)
inline constexpr int kAdaptiveBin = 100;  ///< examples in a bin of equal count

/// Equal-width bins (a, b] of [0, 1]. Edges are rounded to float32, as the published code has them.
/// Confidence outside [0, 1] counts in the nearest bin, NaN, from a diverged model, as 0.
std::vector<BinSums> calibration_bins(std::span<const double> confidence,
                                      std::span<const std::uint8_t> correct, int bins);

/// total += more, bin by bin; an empty `total` takes the number of bins of `more`.
void add_bins(std::vector<BinSums>& total, std::span<const BinSums> more);

/// Means over one bin, 0 in an empty one.
double mean_confidence(const BinSums& bin);
double mean_accuracy(const BinSums& bin);

/// Measures over equal-width bins with weights w = count / n, accuracies A, mean confidences C and population
/// variances V of the confidence.
struct CalibrationErrors {
  double ece = 0;     ///< expected calibration error, sum w |A - C|
  double rms = 0;     ///< sqrt(sum w (A - C)^2)
  double oe = 0;      ///< overconfidence error, sum w C max(C - A, 0)
  double sh = 0;      ///< sharpness within the bins, 1 / sqrt(sum w V); infinite when nothing varies
  double max_ce = 0;  ///< largest |A - C|
};
/// All 0 without examples.
CalibrationErrors calibration_errors(std::span<const BinSums> bins);

struct AdaptiveBins {
  int size = kAdaptiveBin;   ///< examples in a bin; the last one also takes the remainder
  bool include_last = true;  ///< the published tool forgets the last bin, but divides by all examples
};
/// Sorted by rising confidence (equal ones in the order given) and cut into bins of equal count:
/// sqrt(sum w (A - C)^2) and sum w |A - C|. NaN with fewer examples than one bin takes.
double adaptive_rms(std::span<const double> confidence, std::span<const std::uint8_t> correct,
                    const AdaptiveBins& bins = {});
double adaptive_mad(std::span<const double> confidence, std::span<const std::uint8_t> correct,
                    const AdaptiveBins& bins = {});

/// Area under the response rate accuracy curve: the mean over k of the accuracy on the k most confident
/// examples (equal ones in the order given). 0 without examples.
double aurra(std::span<const double> confidence, std::span<const std::uint8_t> correct);

}  // namespace noisymix
