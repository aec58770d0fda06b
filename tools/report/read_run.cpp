// What a run's folder holds for its report.
#include <algorithm>
#include <fstream>
#include <map>

#include <nlohmann/json.hpp>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "tools/report/report.h"
#include "tools/run_directory.h"

namespace noisymix::report {
namespace {

std::string text_of(const nlohmann::json& line, const char* key) {
  return line.contains(key) && line[key].is_string() ? line[key].get<std::string>() : "";
}
double number_of(const nlohmann::json& line, const char* key) {
  return line.contains(key) && line[key].is_number() ? line[key].get<double>() : 0;
}
/// A whole number that fits; 0 for anything else.
template <class Integer>
Integer integer_of(const nlohmann::json& line, const char* key) {
  return line.contains(key) && line[key].is_number_integer() ? line[key].get<Integer>() : 0;
}

/// Lines that cannot be read have been reported by read_training_curve().
TrainingFacts read_facts(const std::filesystem::path& metrics) {
  TrainingFacts facts;
  std::ifstream in(metrics);
  double speed = 0;
  int epochs = 0;
  for (std::string text; std::getline(in, text);) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (!line.is_object()) continue;
    const std::string kind = text_of(line, "kind");
    if (kind == "start") {
      facts.model = text_of(line, "model");
      facts.train_data = text_of(line, "train_data");
      facts.version = text_of(line, "version");
      facts.parameters = integer_of<std::int64_t>(line, "parameters");
      facts.seed = integer_of<std::uint64_t>(line, "seed");
    } else if (kind == "epoch") {
      facts.epochs = integer_of<std::int64_t>(line, "epoch");
      facts.seconds += number_of(line, "seconds");
      speed += number_of(line, "images_per_s");
      ++epochs;
    }
  }
  if (epochs > 0) facts.images_per_second = speed / epochs;
  return facts;
}

/// Moves the last part, from a comma on, out of all labels while they share it and something is left.
void shorten_labels(std::vector<ReportRun>& runs) {
  const std::string separator = ", ";
  for (std::string common; runs.size() > 1;) {
    const std::size_t at = runs.front().label.rfind(separator);
    if (at == std::string::npos || at == 0) return;
    const std::string part = runs.front().label.substr(at);
    for (const ReportRun& run : runs) {
      if (run.label.size() <= part.size() || !run.label.ends_with(part)) return;
    }
    common = part.substr(separator.size()) + (common.empty() ? "" : separator) + common;
    for (ReportRun& run : runs) {
      run.label.resize(run.label.size() - part.size());
      run.common = common;
    }
  }
}

}  // namespace

ReportRun read_report_run(const std::filesystem::path& path) {
  ReportRun run;
  run.path = path.lexically_normal().string();
  const RunDirectory directory(path);
  if (std::filesystem::exists(directory.metrics_file())) {
    run.curve = read_training_curve(path);
    run.training = read_facts(directory.metrics_file());
  }
  if (directory.exists()) {
    const Bytes config = read_file_bytes(directory.config_file(), std::uint64_t{1} << 20);
    run.config.assign(config.begin(), config.end());
  }
  if (std::filesystem::exists(results_file(path))) run.results = load_results(results_file(path));
  NM_CHECK_AS(DataError, run.curve || run.results, run.path,
              ": nothing to report, neither metrics.jsonl of a training run nor the file that noisymix "
              "evaluate writes");
  return run;
}

void label_runs(std::vector<ReportRun>& runs) {
  for (ReportRun& run : runs) {
    run.label = run.results && !run.results->title.empty() ? run.results->title
                : run.curve                                ? run.curve->title
                                                           : "";
    if (run.label.empty()) run.label = run.path;
  }
  shorten_labels(runs);
  std::map<std::string, int> times;
  for (const ReportRun& run : runs) ++times[run.label];
  std::map<std::string, int> with_seed;
  std::vector<std::string> longer;
  for (const ReportRun& run : runs) {
    const std::uint64_t seed = run.results ? run.results->seed : run.training ? run.training->seed : 0;
    longer.push_back(times[run.label] > 1 ? run.label + ", seed " + std::to_string(seed) : run.label);
    ++with_seed[longer.back()];
  }
  for (std::size_t i = 0; i < runs.size(); ++i) {
    runs[i].label = with_seed[longer[i]] > 1 ? runs[i].label + " (" + runs[i].path + ")" : longer[i];
  }
}

}  // namespace noisymix::report
