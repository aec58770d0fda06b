// Models on perturbation sequences: how often does the prediction flip from frame to frame?
#pragma once

#include <functional>
#include <vector>

#include "tools/evaluation/evaluate.h"

namespace noisymix {

/// The sequences that some of the runs do not know yet.
class SequenceEvaluation {
 public:
  SequenceEvaluation(std::vector<EvaluatedRun>& runs, const Dataset& data, const EvaluateOptions& options);

  /// Work to be done, in forward passes of one image.
  double passes() const;

  /// `tell` is called with forward passes done and answers whether to go on. False when it said no.
  bool run(EvaluationProgress& progress, const std::function<bool(double)>& tell) const;

 private:
  struct Task {
    SequenceType type;
    int difficulty;
    std::vector<EvaluatedRun*> runs;
  };
  bool run_task(const Task& task, const std::function<bool(double)>& tell) const;
  double passes(const Task& task) const;

  const Dataset& data_;
  const EvaluateOptions& options_;
  std::int64_t examples_;
  std::vector<Task> tasks_;
};

}  // namespace noisymix
