// Which runs may be compared, and which belong together.
#include <algorithm>
#include <filesystem>

#include "engine/error.h"
#include "tools/evaluation/compare.h"

namespace noisymix {
namespace {

std::string title_of(const EvaluationResults& run) {
  if (!run.title.empty()) return run.title;
  const std::filesystem::path path = std::filesystem::path(run.run).lexically_normal();
  return path.has_filename() ? path.filename().string() : path.parent_path().filename().string();
}

template <class Value>
void check_same(const EvaluationResults& a, const EvaluationResults& b, const char* what, const Value& first,
                const Value& second) {
  NM_CHECK_AS(ConfigError, first == second, a.run, " and ", b.run, " cannot be compared: ", what, " ", first,
              " and ", second, "; evaluate both alike");
}

void check_pair(const EvaluationResults& a, const EvaluationResults& b) {
  NM_CHECK_AS(ConfigError, a.data_hash == b.data_hash, a.run, " and ", b.run,
              " cannot be compared: evaluated on different images, '", a.data, "' and '", b.data,
              "'; evaluate both on one test set");
  check_same(a, b, "evaluation seeds", a.evaluation_seed, b.evaluation_seed);
  check_same(a, b, "parameter sets", a.parameter_set, b.parameter_set);
  for (const Cell& cell : b.cells) {
    const Cell* same = a.find(cell.suite, cell.type, cell.severity, cell.level);
    if (same) check_same(a, b, ("numbers of examples (" + cell.type + ")").c_str(), same->count, cell.count);
  }
  for (const SequenceScores& scores : b.sequences) {
    const SequenceScores* same = a.find_sequence(scores.type, scores.difficulty);
    if (same)
      check_same(a, b, ("numbers of sequences (" + scores.type + ")").c_str(), same->count, scores.count);
  }
}

}  // namespace

void check_comparable(const std::vector<EvaluationResults>& runs) {
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (i > 0) check_pair(runs.front(), runs[i]);
    for (std::size_t j = 0; j < i; ++j) {
      const bool same = !runs[i].weights_hash.empty() && runs[i].weights_hash == runs[j].weights_hash;
      NM_CHECK_AS(ConfigError, !same, runs[j].run, " and ", runs[i].run,
                  " are the same weights: name every run once");
    }
  }
}

std::vector<RunGroup> group_by_title(const std::vector<EvaluationResults>& runs) {
  std::vector<RunGroup> groups;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::string title = title_of(runs[i]);
    auto group = std::find_if(groups.begin(), groups.end(), [&](const auto& g) { return g.title == title; });
    if (group == groups.end()) group = groups.insert(groups.end(), {title, {}, {}, {}});
    group->runs.push_back(i);
    group->names.push_back(runs[i].run);
    group->seeds.push_back(runs[i].seed);
  }
  return groups;
}

}  // namespace noisymix
