// The numbers of an evaluation that papers print, one row each.
#pragma once

#include <string>
#include <vector>

#include "tools/evaluation/results.h"

namespace noisymix {

struct SummaryRow {
  std::string key;    ///< "clean_accuracy", "corruption_accuracy", ...: the same for every run
  std::string label;  ///< for people; says over how many cells a mean is when some are missing
  double value = 0;
  bool percent = false;  ///< a fraction, to be shown in percent
  bool higher_is_better = true;
};

/// Only rows for which there is something to show, in a fixed order. Values that are not finite are left out.
std::vector<SummaryRow> summarize(const EvaluationResults& results);

}  // namespace noisymix
