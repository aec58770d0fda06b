// The runs of a sweep: one folder for each row and seed, and how far each of them is.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tools/sweep/sweep_evaluation.h"
#include "tools/sweep/sweep_file.h"

namespace noisymix {

enum class RunState {
  fresh,      ///< not begun
  begun,      ///< training, to be continued
  trained,    ///< not yet, or not completely, evaluated
  evaluated,  ///< finished
};
const char* name_of(RunState state);

/// One row with one seed.
struct SweepRun {
  std::size_t row = 0;
  std::uint64_t seed = 0;
  std::string name;               ///< "baseline-seed1"
  Config config;                  ///< with the seed
  std::filesystem::path folder;   ///< OUT/runs/NAME
  std::filesystem::path file;     ///< OUT/configs/NAME.toml: what the run is trained with
  std::filesystem::path log;      ///< OUT/logs/NAME.log: what its processes printed
  std::filesystem::path failure;  ///< OUT/logs/NAME.error: one line, while its last attempt failed
};

/// All runs of the chosen rows: seed after seed, so that every row has its first number early.
std::vector<SweepRun> plan_runs(const Sweep& sweep, const std::vector<std::size_t>& rows,
                                const std::filesystem::path& out);

/// Remembers test sets, so that looking at many runs opens each once.
class RunInspector {
 public:
  explicit RunInspector(const SweepEvaluation& evaluation) : evaluation_(evaluation) {}

  RunState state(const SweepRun& run);
  /// The results that count for the table, when the run is evaluated.
  std::optional<EvaluationResults> results(const SweepRun& run);

 private:
  const std::optional<TestSetFacts>& facts(const DataConfig& data);

  const SweepEvaluation& evaluation_;
  std::map<std::string, std::optional<TestSetFacts>> facts_;
};

/// Throws ConfigError naming every folder that holds a run with other settings than the sweep's.
void check_settings(const Sweep& sweep, const std::vector<SweepRun>& runs);

/// Moves a run's folder to OUT/old/NAME (-2, -3, ...), so that it is trained anew. Returns the new place, or
/// an empty path when there was nothing.
std::filesystem::path put_aside(const SweepRun& run);

/// What metrics.jsonl says; lines that cannot be read are passed over.
struct TrainingProgress {
  std::int64_t epochs = 0, steps_per_epoch = 0;  ///< 0 while unknown
  std::int64_t step = 0;                         ///< steps logged
  double seconds = 0;                            ///< of the epochs done
  double step_seconds = 0;                       ///< mean of the steps logged; 0 while unknown
};
TrainingProgress training_progress(const std::filesystem::path& run);

/// One line saying why the last attempt failed; empty when it did not.
std::string failure_of(const SweepRun& run);

}  // namespace noisymix
