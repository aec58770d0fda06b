#include "tools/sweep/sweep_estimate.h"

#include <algorithm>

namespace noisymix {
namespace {

/// A mean that may have nothing to be over.
struct Mean {
  double sum = 0;
  int count = 0;
  void add(double value) {
    sum += value;
    ++count;
  }
  bool known() const { return count > 0; }
  double value() const { return sum / count; }
};

/// Seconds of one step of `run`, 0 when unknown.
double step_seconds(const std::vector<SweepWork>& runs, const SweepWork& run) {
  if (run.step_seconds > 0) return run.step_seconds;
  Mean own, per_view;
  for (const SweepWork& other : runs) {
    if (other.step_seconds <= 0) continue;
    if (other.row == run.row) own.add(other.step_seconds);
    if (other.step_views > 0) per_view.add(other.step_seconds / other.step_views);
  }
  if (own.known()) return own.value();
  return per_view.known() ? per_view.value() * run.step_views : 0;
}

double evaluation_seconds(const std::vector<SweepWork>& runs, const SweepWork& run) {
  Mean own, any;
  for (const SweepWork& other : runs) {
    if (other.evaluation_seconds <= 0) continue;
    any.add(other.evaluation_seconds);
    if (other.row == run.row) own.add(other.evaluation_seconds);
  }
  return own.known() ? own.value() : any.known() ? any.value() : 0;
}

}  // namespace

SweepEstimate estimate_remaining(const std::vector<SweepWork>& runs, int jobs) {
  SweepEstimate estimate;
  estimate.complete = true;
  double total = 0, longest = 0;
  int remaining = 0;
  const auto part = [&](double seconds) {
    if (seconds > 0)
      estimate.known = true;
    else
      estimate.complete = false;
    return seconds;
  };
  for (const SweepWork& run : runs) {
    if (run.evaluated || run.failed) continue;
    ++remaining;
    double seconds = 0;
    if (!run.trained)
      seconds +=
          part(step_seconds(runs, run) * std::max(run.steps - run.steps_done, run.steps > 0 ? 1.0 : 0.0));
    seconds += part(evaluation_seconds(runs, run));
    total += seconds;
    longest = std::max(longest, seconds);
  }
  if (remaining == 0) estimate.known = true;
  // No run is shared between two processes.
  estimate.seconds = std::max(longest, total / std::max(1, std::min(jobs, remaining)));
  return estimate;
}

}  // namespace noisymix
