// Evaluation results as text for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "tools/evaluation/results.h"
#include "tools/evaluation/suites.h"

namespace noisymix {

/// One run: accuracy, loss and calibration for every cell, corruptions as a grid of types and severities.
/// Several runs: accuracies side by side, a corruption's mean over its severities in one row; two runs also
/// get their difference in points. Only the cells of the options' suites are shown.
std::string results_text(const std::vector<EvaluationResults>& runs, const EvaluateOptions& options);

/// One object, or an array of objects for several runs: scores by suite, without the values per example.
std::string results_json(const std::vector<EvaluationResults>& runs);

}  // namespace noisymix
