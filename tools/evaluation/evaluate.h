// Trained models on a test set and its variants: many models at once, cell by cell, stopped and resumed at
// will.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tools/evaluation/results.h"
#include "tools/evaluation/variants.h"

namespace noisymix {

/// A model under evaluation, and what is known of it so far.
struct EvaluatedRun {
  LoadedRun loaded;
  std::filesystem::path file;  ///< evaluation.json; empty keeps the results in memory only
  EvaluationResults results;
};

/// Loads the model, moves it to the device, and takes up the results that its file holds. A file about other
/// weights, other data, other constants or another seed is renamed to evaluation.1.json (2, 3, ...), which
/// `notice` hears.
EvaluatedRun open_evaluated_run(const std::filesystem::path& path, Device device, const Dataset& data,
                                const EvaluateOptions& options,
                                const std::function<void(const std::string&)>& notice);

/// Where an evaluation stands, in forward passes of one image.
struct EvaluationProgress {
  std::string place;  ///< "fog 3"
  double done = 0, total = 0;
};

/// What an evaluation tells and asks; any of them may be empty.
struct EvaluationObserver {
  std::function<void(const EvaluationProgress&)> progress{};
  std::function<bool()> should_stop{};
};

/// Evaluates what the runs do not know yet, each variant once for all of them, saving every run's file after
/// each cell. All runs see the same pictures. Results depend neither on threads nor, up to the rounding of
/// the model itself, on the batch. Returns false when stopped between two batches; the cell at hand is then
/// begun anew next time.
bool evaluate_runs(std::vector<EvaluatedRun>& runs, const Dataset& data, const std::vector<Variant>& variants,
                   const EvaluateOptions& options, const EvaluationObserver& observer);

}  // namespace noisymix
