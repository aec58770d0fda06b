#include "tools/sweep/sweep_plan.h"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "data/content_hash.h"
#include "data/file_bytes.h"
#include "engine/error.h"
#include "tools/run_directory.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostSteps = 1'000'000'000;  // times the most epochs, still far from overflow

/// Numbers of a line of metrics.jsonl; 0 for anything else.
double number_of(const nlohmann::json& line, const char* key) {
  return line.contains(key) && line[key].is_number() ? line[key].get<double>() : 0;
}
std::int64_t integer_of(const nlohmann::json& line, const char* key) {
  return line.contains(key) && line[key].is_number_integer() ? line[key].get<std::int64_t>() : 0;
}

/// The step in the name of the newest checkpoint, -1 without one.
std::int64_t newest_step(const RunDirectory& directory, fs::path& file) {
  const std::vector<fs::path> checkpoints = directory.checkpoints();
  if (checkpoints.empty()) return -1;
  file = checkpoints.back();
  const std::string stem = file.stem().string();
  return std::strtoll(stem.c_str() + stem.find('-') + 1, nullptr, 10);
}

/// Training has come to its end when the last checkpoint stands there and the weights to report were written
/// after it. Where this is in doubt the trainer is started once more, which then only writes them.
bool is_trained(const SweepRun& run) {
  const RunDirectory directory(run.folder);
  const TrainingProgress progress = training_progress(run.folder);
  if (progress.steps_per_epoch == 0) return false;
  std::int64_t last = run.config.train.epochs * progress.steps_per_epoch;
  if (run.config.train.max_steps > 0) last = std::min(last, run.config.train.max_steps);
  fs::path checkpoint;
  if (newest_step(directory, checkpoint) < last) return false;
  std::error_code error;
  const auto written = fs::last_write_time(directory.model_file(), error);
  if (error) return false;
  return run.config.train.report != "last" || written >= fs::last_write_time(checkpoint, error);
}

}  // namespace

const char* name_of(RunState state) {
  constexpr const char* kNames[] = {"not begun", "begun", "trained", "evaluated"};
  return kNames[static_cast<std::size_t>(state)];
}

std::vector<SweepRun> plan_runs(const Sweep& sweep, const std::vector<std::size_t>& rows,
                                const fs::path& out) {
  std::vector<SweepRun> runs;
  for (const std::uint64_t seed : sweep.seeds) {
    for (const std::size_t row : rows) {
      SweepRun run;
      run.row = row;
      run.seed = seed;
      run.name = sweep.rows[row].folder + "-seed" + std::to_string(seed);
      run.config = sweep.rows[row].config;
      run.config.train.seed = seed;
      run.folder = out / "runs" / run.name;
      run.file = out / "configs" / (run.name + ".toml");
      run.log = out / "logs" / (run.name + ".log");
      run.failure = out / "logs" / (run.name + ".error");
      runs.push_back(std::move(run));
    }
  }
  return runs;
}

const std::optional<TestSetFacts>& RunInspector::facts(const DataConfig& data) {
  const std::string key = data.name + '\n' + data.path + '\n' + std::to_string(data.seed) + '\n' +
                          std::to_string(data.test_limit) + '\n' + std::to_string(data.image_size);
  const auto [entry, fresh] = facts_.emplace(key, std::nullopt);
  if (fresh) {
    try {
      entry->second = test_set_facts(data, evaluation_);
    } catch (const Error&) {  // the data may lie elsewhere by now: results are then taken as they are
    }
  }
  return entry->second;
}

std::optional<EvaluationResults> RunInspector::results(const SweepRun& run) {
  const fs::path file = results_file(run.folder), weights = RunDirectory(run.folder).model_file();
  if (!fs::exists(file) || !fs::exists(weights)) return std::nullopt;
  try {
    const EvaluationResults results = load_results(file);
    if (!is_complete(results, evaluation_, hash_file(weights), facts(run.config.data))) return std::nullopt;
    return restricted(results, evaluation_);
  } catch (const DataError&) {  // a damaged file: the evaluation says so when it is started again
    return std::nullopt;
  }
}

RunState RunInspector::state(const SweepRun& run) {
  if (!RunDirectory(run.folder).exists()) return RunState::fresh;
  if (!is_trained(run)) return RunState::begun;
  return results(run) ? RunState::evaluated : RunState::trained;
}

void check_settings(const Sweep& sweep, const std::vector<SweepRun>& runs) {
  std::string message;
  for (const SweepRun& run : runs) {
    const RunDirectory directory(run.folder);
    if (!directory.exists()) continue;
    const std::vector<std::string> differing = differing_keys(directory.read_config(), run.config);
    if (differing.empty()) continue;
    std::string list = differing.front();
    for (std::size_t i = 1; i < std::min<std::size_t>(differing.size(), 4); ++i) list += ", " + differing[i];
    if (differing.size() > 4) list += ", and " + std::to_string(differing.size() - 4) + " more";
    message += (message.empty() ? "" : "\n") + run.folder.string() + ": was trained with other settings (" +
               list + "); train it anew with --fresh \"" + sweep.rows[run.row].label +
               "\", or choose another --out";
  }
  NM_CHECK_AS(ConfigError, message.empty(), message);
}

fs::path put_aside(const SweepRun& run) {
  if (!fs::exists(run.folder)) return {};
  const fs::path old = run.folder.parent_path().parent_path() / "old";
  fs::create_directories(old);
  fs::path target = old / run.name;
  for (int number = 2; fs::exists(target); ++number) target = old / (run.name + "-" + std::to_string(number));
  fs::rename(run.folder, target);
  return target;
}

TrainingProgress training_progress(const fs::path& run) {
  TrainingProgress progress;
  std::ifstream in(RunDirectory(run).metrics_file());
  double steps_seconds = 0;
  int steps = 0;
  for (std::string text; std::getline(in, text);) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object() || !line.contains("kind")) continue;
    const nlohmann::json& kind = line["kind"];
    if (kind == "start") {
      progress.epochs = integer_of(line, "epochs");
      progress.steps_per_epoch = std::clamp<std::int64_t>(integer_of(line, "steps_per_epoch"), 0, kMostSteps);
    } else {
      progress.step = std::max(progress.step, integer_of(line, "step"));
      if (kind == "epoch") progress.seconds += number_of(line, "seconds");
      if (kind == "step") steps_seconds += number_of(line, "seconds"), ++steps;
    }
  }
  if (steps > 0) progress.step_seconds = steps_seconds / steps;
  return progress;
}

std::string failure_of(const SweepRun& run) {
  if (!fs::exists(run.failure)) return "";
  std::ifstream in(run.failure);
  std::string line;
  std::getline(in, line);
  return line.empty() ? "failed" : printable(line, 300);
}

}  // namespace noisymix
