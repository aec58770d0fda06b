// Train and test error over the epochs, averaged over seeds (NFM paper, appendix F.8).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tools/analysis/grouped_runs.h"
#include "tools/evaluation/compare.h"

namespace noisymix {

struct ErrorPoint {
  int epoch = 0;  ///< epochs trained
  /// Fractions in [0, 1]. Training error is that of the step's own views while the weights move: under mixing
  /// 1 - (lambda acc(y) + (1 - lambda) acc(y[pi])), as published code prints it (section 4.7 of the method).
  SeedSpread train;
  std::optional<SeedSpread> test;  ///< absent where a run was not evaluated
};

/// One group of runs; only epochs that every run of it has finished.
struct ErrorCurve {
  std::string title;
  std::vector<std::string> runs;
  std::vector<ErrorPoint> points;
};

/// Reads RUN/metrics.jsonl of every run; groups come in the order in which they are first named. Throws
/// DataError for runs that cannot be read, ConfigError for a run given twice.
std::vector<ErrorCurve> error_curves(const std::vector<GroupedRun>& runs);

std::string error_curves_json(const std::vector<ErrorCurve>& curves);
/// A line per group and epoch.
std::string error_curves_csv(const std::vector<ErrorCurve>& curves);
/// Two panels, training and test error in percent, bands of one sample deviation.
std::string error_curves_svg(const std::vector<ErrorCurve>& curves);

}  // namespace noisymix
