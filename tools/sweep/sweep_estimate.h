// How long a sweep will still take, from what its finished and running parts have taken.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace noisymix {

/// One run's share of the work.
struct SweepWork {
  std::size_t row = 0;
  double steps = 0, steps_done = 0;  ///< of training; `steps` is 0 while unknown
  double step_views = 0;             ///< pictures a step computes: batch x views
  double step_seconds = 0;           ///< 0 while unknown
  double evaluation_seconds = 0;     ///< 0 while unknown
  bool trained = false, evaluated = false;
  bool failed = false;  ///< will not be tried again
};

struct SweepEstimate {
  bool known = false;     ///< whether anything can be said yet
  bool complete = false;  ///< false: parts of unknown length come on top
  double seconds = 0;
};

/// A step takes what steps of its row took, else, by its pictures, what those of the others took; an
/// evaluation likewise. `jobs` runs share the machine.
SweepEstimate estimate_remaining(const std::vector<SweepWork>& runs, int jobs);

}  // namespace noisymix
