// Accuracies and errors over sets of corruptions: the numbers of the papers' tables.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tools/evaluation/results.h"

namespace noisymix {

using TypeNames = std::vector<std::string>;

/// The 15 of the benchmark in its order: noise, blur, weather, digital.
const TypeNames& benchmark_corruption_names();
/// The four extra ones.
const TypeNames& extra_corruption_names();
/// The benchmark without its three kinds of noise.
const TypeNames& no_noise_corruption_names();

/// A kind of corruption and its types.
struct CorruptionCategory {
  std::string key;  ///< "noise", "blur", "weather", "digital"
  TypeNames types;
};
const std::vector<CorruptionCategory>& corruption_categories();

/// DiGN's mCA, for the constants of "cifar-c" (also used for ImageNette-C): all 19 but gaussian_noise;
/// "tiny-imagenet-c": the 15 but gaussian_noise. imagenet-c has no list of DiGN's; it gets that of Tiny.
const TypeNames& mca_names(const std::string& parameter_set);
/// The noise types among them: mCA-N.
const TypeNames& mca_noise_names(const std::string& parameter_set);
/// The six types of NFM's Fig. 6.
const TypeNames& nfm_corruption_names();
/// The 16 types of NoisyMix's transfer table (register D34): the benchmark and speckle_noise.
const TypeNames& transfer_corruption_names();

/// A mean over the cells of a set that have been measured.
struct CellMean {
  double value = 0;  ///< 0 when nothing is present
  int present = 0;   ///< cells
  int wanted = 0;    ///< cells of the whole set
  bool complete() const { return present == wanted; }
};

inline constexpr std::array kAllSeverities = {1, 2, 3, 4, 5};

/// Mean accuracy over types x severities.
CellMean mean_corruption_accuracy(const EvaluationResults& results, std::span<const std::string> types,
                                  std::span<const int> severities = kAllSeverities);
/// Mean of the per-cell expected calibration errors (15 bins).
CellMean mean_corruption_ece(const EvaluationResults& results, std::span<const std::string> types,
                             std::span<const int> severities = kAllSeverities);

/// AlexNet's mean error over the severities of each of the 15 types of ImageNet-C.
std::span<const double> alexnet_corruption_errors();

/// Corruption error of one type: sum of the model's errors over severities, divided by that of a baseline's.
/// Errors are fractions. Throws ShapeError unless both have the same number and the baseline's sum is
/// positive.
double corruption_error(std::span<const double> errors, std::span<const double> baseline);
/// The same with the error on clean images taken off every error.
double relative_corruption_error(std::span<const double> errors, double clean_error,
                                 std::span<const double> baseline, double baseline_clean_error);

/// mCE against AlexNet, as a fraction; nothing unless all 75 cells of the benchmark are present.
std::optional<double> mean_corruption_error(const EvaluationResults& results);

}  // namespace noisymix
