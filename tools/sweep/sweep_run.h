// Carrying out a sweep: `noisymix train` and `noisymix evaluate` for each of its runs, several at a time.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/sweep/sweep_estimate.h"
#include "tools/sweep/sweep_plan.h"

namespace noisymix {

struct SweepOptions {
  int jobs = 1;                 ///< runs at a time; 0: one per GPU, without GPUs one per core
  int threads = 0;              ///< for all of them together; 0: one per core
  std::string device = "auto";  ///< auto and cuda spread the runs over all GPUs
  std::vector<std::string> program = {"/proc/self/exe"};  ///< words that start this program
  std::function<bool()> should_stop = {};                 ///< true: finish the steps at hand, then end
};

/// Where a sweep stands.
struct SweepProgress {
  int done = 0, failed = 0, total = 0;
  std::vector<std::string> running;  ///< "baseline-seed2, epoch 3 of 8"
  SweepEstimate remaining;
};

/// What a sweep tells; either may be empty.
struct SweepObserver {
  std::function<void(const std::string&)> line{};  ///< something that happened, for good
  std::function<void(const SweepProgress&)> progress{};
};

enum class SweepEnd {
  completed,
  failures,     ///< every run was tried, some failed; failure_of() says why
  interrupted,  ///< should_stop said so: starting again continues
};

/// Brings every run to RunState::evaluated, each in processes of its own, so that one that fails does not
/// stop the others. What is finished is not repeated. Throws ConfigError as check_settings(), and when
/// another process works in the folder `out`.
SweepEnd run_sweep(const Sweep& sweep, const std::vector<SweepRun>& runs, const std::filesystem::path& out,
                   const SweepOptions& options, const SweepObserver& observer);

/// The work left, before anything is started.
SweepEstimate estimate_sweep(const Sweep& sweep, const std::vector<SweepRun>& runs,
                             const SweepOptions& options);

/// GPUs that can be used now.
int usable_gpus();

/// The message of a failed process: the first of the last lines that begin with "noisymix: " after `start`
/// bytes of its log, without that; else what its exit code tells.
std::string error_in_log(const std::filesystem::path& log, std::uintmax_t start, int code);

}  // namespace noisymix
