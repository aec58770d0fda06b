// Columns of a sweep's table: names for the file, headings for people, and where the numbers come from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/evaluation/results.h"
#include "tools/evaluation/suites.h"

namespace noisymix {

struct SweepColumn {
  std::string key;    ///< as files name it: "clean", "white_noise_0.1"
  std::string title;  ///< heading
  enum class Unit { percent, number, seconds } unit = Unit::percent;
  bool higher_is_better = true;
};

/// What an evaluation with these options can fill, the training time last.
std::vector<SweepColumn> possible_columns(const EvaluateOptions& options);

/// Those that a table has when the file names none: accuracies (clean, corruptions, each level of noise and
/// attacks), flips, calibration errors (clean and corrupted) and the training time.
std::vector<SweepColumn> default_columns(const EvaluateOptions& options);

/// The number of a column, as a fraction for percentages; absent when the results do not have it.
std::optional<double> column_value(const std::string& key, const EvaluationResults& results);

}  // namespace noisymix
