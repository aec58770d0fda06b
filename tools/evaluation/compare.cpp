#include "tools/evaluation/compare.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <numeric>

#include "engine/error.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/summary.h"
#include "tools/evaluation/type_labels.h"

namespace noisymix {

SeedSpread spread_of(const std::vector<double>& values) {
  NM_CHECK(!values.empty(), "[spread_of] expects at least one number");
  SeedSpread spread;
  const auto n = static_cast<double>(values.size());
  spread.runs = static_cast<int>(values.size());
  spread.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  spread.low = *std::min_element(values.begin(), values.end());
  spread.high = *std::max_element(values.begin(), values.end());
  double squares = 0;
  for (const double value : values) squares += (value - spread.mean) * (value - spread.mean);
  if (values.size() > 1) spread.deviation = std::sqrt(squares / (n - 1));
  return spread;
}

namespace {

using Runs = std::vector<EvaluationResults>;

/// What one row is computed from: cells, or sequences, or a number of each run.
struct RowPlan {
  ComparedRow row;
  std::vector<Cell> cells;  ///< places, of which every run has one
  std::vector<SequenceScores> sequences;
  std::vector<double> numbers;  ///< of each run, instead of a mean over images
};

/// One cell's place without its content.
Cell place_of(const Cell& cell) {
  Cell place;
  place.suite = cell.suite, place.type = cell.type, place.severity = cell.severity, place.level = cell.level;
  return place;
}

const Cell* find(const EvaluationResults& run, const Cell& place) {
  return run.find(place.suite, place.type, place.severity, place.level);
}

bool everywhere(const Runs& runs, const Cell& place) {
  return std::all_of(runs.begin(), runs.end(), [&](const auto& run) { return find(run, place) != nullptr; });
}

class Planner {
 public:
  explicit Planner(const Runs& runs) : runs_(runs) {}

  void add_cells(const std::string& section, const std::string& name, std::size_t wanted,
                 const std::function<bool(const Cell&)>& member) {
    RowPlan plan;
    plan.row.section = section;
    for (const Cell& cell : runs_.front().cells) {
      if (member(cell) && everywhere(runs_, cell)) plan.cells.push_back(place_of(cell));
    }
    plan.row.name = name;
    if (plan.cells.size() < wanted) {
      plan.row.name += " (" + std::to_string(plan.cells.size()) + " of " + std::to_string(wanted) + " cells)";
    }
    if (!plan.cells.empty()) plans_.push_back(std::move(plan));
  }

  void add_numbers(const std::string& section, const std::string& name, bool lower_is_better,
                   std::vector<double> numbers) {
    RowPlan plan;
    plan.row = {section, name, lower_is_better, {}, {}};
    plan.numbers = std::move(numbers);
    plans_.push_back(std::move(plan));
  }

  void add_sequences(const std::string& section, const std::string& name,
                     const std::function<bool(const SequenceScores&)>& member) {
    RowPlan plan;
    plan.row = {section, name, true, {}, {}};
    for (const SequenceScores& scores : runs_.front().sequences) {
      const bool shared = std::all_of(runs_.begin(), runs_.end(), [&](const auto& run) {
        return run.find_sequence(scores.type, scores.difficulty) != nullptr;
      });
      if (member(scores) && shared) plan.sequences.push_back(scores);
    }
    if (!plan.sequences.empty()) plans_.push_back(std::move(plan));
  }

  std::vector<RowPlan> take() { return std::move(plans_); }

 private:
  const Runs& runs_;
  std::vector<RowPlan> plans_;
};

void plan_corruptions(Planner& planner, const std::string& section, const std::string& name,
                      const TypeNames& types) {
  planner.add_cells(section, name, types.size() * kAllSeverities.size(), [&types](const Cell& cell) {
    return cell.suite == "corruptions" && std::find(types.begin(), types.end(), cell.type) != types.end();
  });
}

void plan_accuracies(Planner& planner, const std::string& parameter_set) {
  const std::string section = "Accuracy";
  planner.add_cells(section, "Clean", 1, [](const Cell& cell) { return cell.suite == "clean"; });
  plan_corruptions(planner, section, "Corruptions", benchmark_corruption_names());
  for (const CorruptionCategory& category : corruption_categories()) {
    plan_corruptions(planner, section, "  " + label_of_type(category.key), category.types);
  }
  plan_corruptions(planner, section, "Corruptions without noise", no_noise_corruption_names());
  plan_corruptions(planner, section, "mCA", mca_names(parameter_set));
  plan_corruptions(planner, section, "mCA-N", mca_noise_names(parameter_set));
}

/// Mean over the levels of each perturbation or attack, then each level.
void plan_levels(Planner& planner, const Runs& runs, const std::string& suite, const std::string& section) {
  std::vector<std::string> types;
  for (const Cell& cell : runs.front().cells) {
    if (cell.suite == suite && std::find(types.begin(), types.end(), cell.type) == types.end()) {
      types.push_back(cell.type);
    }
  }
  for (const std::string& type : types) {
    const auto of_type = [&](const Cell& cell) {
      return cell.suite == suite && cell.type == type && cell.level > 0;
    };
    std::vector<double> levels;
    for (const Cell& cell : runs.front().cells) {
      if (of_type(cell) && everywhere(runs, cell)) levels.push_back(cell.level);
    }
    if (levels.size() > 1) planner.add_cells(section, label_of_type(type) + ", mean", levels.size(), of_type);
    for (const double level : levels) {
      char text[32];
      std::snprintf(text, sizeof text, " %.4g", level);
      planner.add_cells(section, (levels.size() > 1 ? "  " : "") + label_of_type(type) + text, 1,
                        [&](const Cell& cell) { return of_type(cell) && cell.level == level; });
    }
  }
}

const SummaryRow* find(const std::vector<SummaryRow>& rows, const std::string& key) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const SummaryRow& r) { return r.key == key; });
  return row == rows.end() ? nullptr : &*row;
}

/// Numbers that are no means over images. Their labels tell over how many cells they are, so that rows with
/// other labels in another run are left out.
void plan_summaries(Planner& planner, const Runs& runs) {
  std::vector<std::vector<SummaryRow>> summaries;
  for (const EvaluationResults& run : runs) summaries.push_back(summarize(run));
  for (const char* key : {"clean_aurra", "mce", "clean_ece", "clean_rms", "corruption_pooled_ece",
                          "corruption_pooled_rms", "corruption_pooled_oe", "corruption_ece"}) {
    const SummaryRow* first = find(summaries.front(), key);
    std::vector<double> numbers;
    for (const auto& summary : summaries) {
      const SummaryRow* row = find(summary, key);
      if (first != nullptr && row != nullptr && row->label == first->label) numbers.push_back(row->value);
    }
    if (numbers.size() != runs.size()) continue;
    std::string name = first->label;
    name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
    const char* section = first->higher_is_better ? "Accuracy" : "Error";
    planner.add_numbers(section, name, !first->higher_is_better, std::move(numbers));
  }
}

std::vector<RowPlan> plan_rows(const Runs& runs) {
  Planner planner(runs);
  plan_accuracies(planner, runs.front().parameter_set);
  plan_summaries(planner, runs);
  plan_levels(planner, runs, "noise", "Accuracy under noise");
  plan_levels(planner, runs, "attacks", "Accuracy under attack");
  const std::string sequences = "Flip probability";
  planner.add_sequences(sequences, "Mean", [](const auto& scores) { return scores.difficulty == 1; });
  for (const SequenceScores& scores : runs.front().sequences) {
    const std::string harder =
        scores.difficulty > 1 ? ", difficulty " + std::to_string(scores.difficulty) : "";
    planner.add_sequences(sequences, "  " + label_of_type(scores.type) + harder, [&](const auto& other) {
      return other.type == scores.type && other.difficulty == scores.difficulty;
    });
  }
  const std::string types = "Accuracy by corruption";
  for (const TypeNames* names : {&benchmark_corruption_names(), &extra_corruption_names()}) {
    for (const std::string& type : *names) plan_corruptions(planner, types, label_of_type(type), {type});
  }
  return planner.take();
}

/// The row's value of each test image of one run: how often it was right, or how often it flipped.
std::vector<float> per_image(const RowPlan& plan, const EvaluationResults& run) {
  std::vector<float> values;
  const auto add = [&values](const auto& column, std::size_t parts) {
    if (values.empty()) values.resize(column.size());
    for (std::size_t i = 0; i < column.size(); ++i) {
      values[i] += static_cast<float>(column[i]) / static_cast<float>(parts);
    }
  };
  for (const Cell& cell : plan.cells) add(find(run, cell)->correct, plan.cells.size());
  for (const SequenceScores& scores : plan.sequences) {
    add(run.find_sequence(scores.type, scores.difficulty)->flips, plan.sequences.size());
  }
  return values;
}

double value_of(const RowPlan& plan, const EvaluationResults& run) {
  double sum = 0;
  for (const Cell& cell : plan.cells) sum += find(run, cell)->accuracy;
  for (const SequenceScores& scores : plan.sequences) {
    sum += run.find_sequence(scores.type, scores.difficulty)->flip_probability;
  }
  return sum / static_cast<double>(plan.cells.size() + plan.sequences.size());
}

/// Mean over the runs of a group of each image's value.
std::vector<float> per_image(const RowPlan& plan, const Runs& runs, const RunGroup& group) {
  std::vector<float> mean;
  for (const std::size_t run : group.runs) {
    const std::vector<float> values = per_image(plan, runs[run]);
    mean.resize(values.size());
    for (std::size_t i = 0; i < values.size(); ++i)
      mean[i] += values[i] / static_cast<float>(group.runs.size());
  }
  return mean;
}

void fill_values(const Runs& runs, const std::vector<RunGroup>& groups, RowPlan& plan) {
  for (const RunGroup& group : groups) {
    std::vector<double> values;
    for (const std::size_t run : group.runs)
      values.push_back(plan.numbers.empty() ? value_of(plan, runs[run]) : plan.numbers[run]);
    plan.row.groups.emplace_back(spread_of(values));
    plan.row.differences.emplace_back();
  }
  for (std::size_t g = 1; g < groups.size(); ++g) {
    plan.row.differences[g] =
        GroupDifference{plan.row.groups[g]->mean - plan.row.groups[0]->mean, std::nullopt};
  }
}

/// All intervals at once for each number of examples: one set of draws serves many rows.
void fill_intervals(const Runs& runs, const std::vector<RunGroup>& groups, const BootstrapOptions& options,
                    std::vector<RowPlan>& plans) {
  struct Batch {
    std::vector<std::vector<float>> columns;
    std::vector<GroupDifference*> targets;
  };
  std::map<std::size_t, Batch> batches;
  for (RowPlan& plan : plans) {
    if (!plan.numbers.empty() || groups.size() < 2) continue;
    const std::vector<float> first = per_image(plan, runs, groups[0]);
    for (std::size_t g = 1; g < groups.size(); ++g) {
      std::vector<float> column = per_image(plan, runs, groups[g]);
      if (column.empty() || column.size() != first.size()) continue;  // kept without its examples
      for (std::size_t i = 0; i < column.size(); ++i) column[i] -= first[i];
      Batch& batch = batches[column.size()];
      batch.columns.push_back(std::move(column));
      batch.targets.push_back(&*plan.row.differences[g]);
    }
  }
  for (auto& [length, batch] : batches) {
    const std::vector<Interval> intervals = bootstrap_means(batch.columns, options);
    for (std::size_t i = 0; i < intervals.size(); ++i) batch.targets[i]->interval = intervals[i];
  }
}

}  // namespace

Comparison compare_results(const std::vector<EvaluationResults>& runs, const BootstrapOptions& bootstrap) {
  NM_CHECK_AS(ConfigError, !runs.empty(), "nothing to compare: no runs");
  check_comparable(runs);
  Comparison comparison;
  comparison.data = runs.front().data;
  comparison.evaluation_seed = runs.front().evaluation_seed;
  const Cell* clean = runs.front().find("clean", "clean");
  if (clean == nullptr && !runs.front().cells.empty()) clean = &runs.front().cells.front();
  comparison.examples = clean != nullptr ? clean->count : 0;
  comparison.groups = group_by_title(runs);
  comparison.bootstrap = bootstrap;
  std::vector<RowPlan> plans = plan_rows(runs);
  for (RowPlan& plan : plans) fill_values(runs, comparison.groups, plan);
  fill_intervals(runs, comparison.groups, bootstrap, plans);
  for (RowPlan& plan : plans) comparison.rows.push_back(std::move(plan.row));
  return comparison;
}

}  // namespace noisymix
