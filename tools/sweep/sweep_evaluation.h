// The evaluation of a sweep's runs: as words of a command line, as a list of cells, and whether a run has
// them all.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "tools/evaluation/results.h"
#include "tools/sweep/sweep_file.h"

namespace noisymix {

/// The words after `noisymix evaluate RUN` that ask for exactly this evaluation.
std::vector<std::string> evaluation_words(const SweepEvaluation& evaluation);

/// What the check needs to know of a test set.
struct TestSetFacts {
  bool images = true;
  int side = 0;           ///< of images
  std::int64_t size = 0;  ///< examples
  std::string hash;       ///< hash_dataset()
  bool operator==(const TestSetFacts&) const = default;
};

/// The test set on which runs with this configuration are evaluated. Throws DataError as open_dataset().
TestSetFacts test_set_facts(const DataConfig& data, const SweepEvaluation& evaluation);

/// The results less what the sweep does not ask for, such as severities measured by hand, so that means of
/// all rows are over the same cells.
EvaluationResults restricted(const EvaluationResults& results, const SweepEvaluation& evaluation);

/// Whether the results are about these weights, settings and (where known) this test set, and lack nothing
/// the sweep asks for.
bool is_complete(const EvaluationResults& results, const SweepEvaluation& evaluation,
                 const std::string& weights_hash, const std::optional<TestSetFacts>& data);

}  // namespace noisymix
