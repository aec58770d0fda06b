#include "tools/evaluation/results_table.h"

#include <algorithm>
#include <cstdio>
#include <functional>
#include <optional>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/evaluation/summary.h"

namespace noisymix {
namespace {

constexpr int kLabelWidth = 26;
// Of tables with several runs: the summary's labels are long.
constexpr int kRowWidth = 44, kRunWidth = 26;

/// The last `limit` bytes of a name that does not fit its column.
std::string shortened(const std::string& name, std::size_t limit) {
  return name.size() <= limit ? name : "..." + name.substr(name.size() - (limit - 3));
}

template <class... Values>
std::string format(const char* pattern, Values... values) {
  char text[160];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

std::string label_of(const Cell& cell) {
  if (cell.suite == "clean") return "clean";
  const char* name = cell.type == "white_noise"   ? "white noise"
                     : cell.type == "salt_pepper" ? "salt & pepper"
                     : cell.type == "fgsm"        ? "FGSM"
                     : cell.type == "pgd_linf"    ? "PGD Linf"
                     : cell.type == "pgd_l2"      ? "PGD L2"
                                                  : cell.type.c_str();
  if (cell.severity > 0) return format("%-20s %d", name, cell.severity);
  if (cell.type == "fgsm" || cell.type == "pgd_linf") return format("%-14s %.3g/255", name, 255 * cell.level);
  return format("%-14s %.4g", name, cell.level);
}

// --- One run -----------------------------------------------------------------------------------------------

std::string cell_line(const Cell& cell) {
  return format("%-*s %8.2f %% %9.4f %8.2f %%\n", kLabelWidth, label_of(cell).c_str(), 100 * cell.accuracy,
                cell.loss, 100 * cell.ece);
}

/// Types down, severities across, their mean at the end.
std::string corruption_grid(const EvaluationResults& run, const std::vector<int>& severities) {
  std::string head = format("%-*s", kLabelWidth, "corruption, accuracy %"), rows;
  for (const int severity : severities) head += format("%8d", severity);
  for (int type = 0; type < kAllCorruptions; ++type) {
    const char* name = name_of(static_cast<CorruptionType>(type));
    double sum = 0;
    int found = 0;
    std::string row = format("%-*s", kLabelWidth, name);
    for (const int severity : severities) {
      const Cell* cell = run.find("corruptions", name, severity);
      row += cell == nullptr ? "       -" : format("%8.2f", 100 * cell->accuracy);
      sum += cell == nullptr ? 0 : cell->accuracy;
      found += cell == nullptr ? 0 : 1;
    }
    if (found > 0) rows += row + format("%9.2f\n", 100 * sum / found);
  }
  return rows.empty() ? "" : "\n" + head + "     mean\n" + rows;
}

std::string sequence_table(const EvaluationResults& run) {
  if (run.sequences.empty()) return "";
  std::string text =
      format("\n%-*s %10s %12s %12s\n", kLabelWidth, "sequence", "flips", "top-5 dist.", "zipf dist.");
  for (const SequenceScores& s : run.sequences) {
    const std::string label =
        s.difficulty > 1 ? s.type + ", difficulty " + std::to_string(s.difficulty) : s.type;
    text += format("%-*s %8.2f %% %12.3f %12.4f\n", kLabelWidth, label.c_str(), 100 * s.flip_probability,
                   s.top5_distance, s.zipf_distance);
  }
  return text;
}

std::string summary_table(const EvaluationResults& run) {
  std::string text = "\nsummary\n";
  for (const SummaryRow& row : summarize(run)) {
    text += row.percent ? format("%-44s %8.2f %%\n", row.label.c_str(), 100 * row.value)
                        : format("%-44s %8.4f\n", row.label.c_str(), row.value);
  }
  return text;
}

bool shown_suite(const Cell& cell, const EvaluateOptions& options) {
  if (cell.suite == "clean") return true;
  return (cell.suite == "noise" && options.has(Suite::noise)) ||
         (cell.suite == "attacks" && options.has(Suite::attacks));
}

bool shows_corruptions(const EvaluateOptions& options) {
  return options.has(Suite::corruptions) || options.has(Suite::calibration);
}

std::string one_run_text(const EvaluationResults& run, const EvaluateOptions& options) {
  std::string text = run.run + " on " + run.data + "\n\n";
  text += format("%-*s %10s %9s %10s\n", kLabelWidth, "variant", "accuracy", "loss", "ECE");
  for (const Cell& cell : run.cells)
    if (shown_suite(cell, options)) text += cell_line(cell);
  if (shows_corruptions(options)) text += corruption_grid(run, options.severities);
  if (options.has(Suite::sequences)) text += sequence_table(run);
  return text + summary_table(run);
}

// --- Several runs ------------------------------------------------------------------------------------------

/// Rows of values, one per run; a run that lacks the value shows a dash.
class SideBySide {
 public:
  explicit SideBySide(const std::vector<EvaluationResults>& runs) : runs_(runs) {
    text_ = runs[0].data + "\n\n" + std::string(kRowWidth, ' ');
    for (const EvaluationResults& run : runs)
      text_ += format("%*s", kRunWidth, shortened(run.run, kRunWidth - 2).c_str());
    text_ += runs.size() == 2 ? " difference\n" : "\n";
  }

  using ValueOf = std::function<std::optional<double>(const EvaluationResults&)>;
  void row(const std::string& label, const ValueOf& value_of, bool percent = true) {
    std::vector<std::optional<double>> values;
    for (const EvaluationResults& run : runs_) values.push_back(value_of(run));
    if (std::none_of(values.begin(), values.end(), [](const auto& value) { return value.has_value(); }))
      return;
    text_ += format("%-*s", kRowWidth, label.c_str());
    for (const auto& value : values) {
      text_ += !value    ? format("%*s", kRunWidth, "-")
               : percent ? format("%*.2f %%", kRunWidth - 2, 100 * *value)
                         : format("%*.4f  ", kRunWidth - 2, *value);
    }
    if (values.size() == 2 && values[0] && values[1])
      text_ += percent ? format("%+11.2f", 100 * (*values[1] - *values[0]))
                       : format("%+11.4f", *values[1] - *values[0]);
    text_ += "\n";
  }
  void gap() { text_ += "\n"; }
  const std::string& text() const { return text_; }

 private:
  const std::vector<EvaluationResults>& runs_;
  std::string text_;
};

/// A corruption's mean over the severities that a run has.
std::optional<double> mean_over_severities(const EvaluationResults& run, const char* type) {
  double sum = 0;
  int count = 0;
  for (const Cell& cell : run.cells) {
    if (cell.suite != "corruptions" || cell.type != type) continue;
    sum += cell.accuracy;
    ++count;
  }
  return count == 0 ? std::nullopt : std::optional<double>(sum / count);
}

void corruption_rows(SideBySide& table) {
  table.gap();
  for (int type = 0; type < kAllCorruptions; ++type) {
    const char* name = name_of(static_cast<CorruptionType>(type));
    table.row(name, [name](const EvaluationResults& run) { return mean_over_severities(run, name); });
  }
}

void sequence_rows(SideBySide& table, const std::vector<EvaluationResults>& runs) {
  table.gap();
  for (const SequenceScores& s : runs[0].sequences) {
    const std::string label =
        "flips " + s.type + (s.difficulty > 1 ? " " + std::to_string(s.difficulty) : "");
    table.row(label, [&s](const EvaluationResults& run) -> std::optional<double> {
      const SequenceScores* found = run.find_sequence(s.type, s.difficulty);
      return found == nullptr ? std::nullopt : std::optional<double>(found->flip_probability);
    });
  }
}

std::string several_runs_text(const std::vector<EvaluationResults>& runs, const EvaluateOptions& options) {
  SideBySide table(runs);
  for (const Cell& cell : runs[0].cells) {
    if (!shown_suite(cell, options)) continue;
    table.row(label_of(cell), [&cell](const EvaluationResults& run) -> std::optional<double> {
      const Cell* found = run.find(cell.suite, cell.type, cell.severity, cell.level);
      return found == nullptr ? std::nullopt : std::optional<double>(found->accuracy);
    });
  }
  if (shows_corruptions(options)) corruption_rows(table);
  if (options.has(Suite::sequences)) sequence_rows(table, runs);
  table.gap();
  for (const SummaryRow& row : summarize(runs[0])) {
    table.row(
        row.label,
        [&row](const EvaluationResults& run) -> std::optional<double> {
          for (const SummaryRow& other : summarize(run))
            if (other.key == row.key) return other.value;
          return std::nullopt;
        },
        row.percent);
  }
  return table.text();
}

// --- JSON --------------------------------------------------------------------------------------------------

nlohmann::ordered_json json_of(const Cell& cell) {
  return {{"accuracy", cell.accuracy},
          {"loss", cell.loss},
          {"ece", cell.ece},
          {"adaptive_rms", cell.adaptive_rms},
          {"aurra", cell.aurra}};
}

nlohmann::ordered_json json_of(const EvaluationResults& run) {
  nlohmann::ordered_json json{{"run", run.run}, {"data", run.data}, {"seed", run.evaluation_seed}};
  for (const Cell& cell : run.cells) {
    nlohmann::ordered_json entry = json_of(cell);
    if (cell.suite == "clean") {
      json["examples"] = cell.count;
      json["clean"] = entry;
    } else if (cell.severity > 0) {
      entry["severity"] = cell.severity;
      json["corruptions"][cell.type].push_back(entry);
    } else {
      entry["level"] = cell.level;
      json[cell.type].push_back(entry);
    }
  }
  for (const SequenceScores& s : run.sequences) {
    json["sequences"][s.type].push_back({{"difficulty", s.difficulty},
                                         {"count", s.count},
                                         {"frames", s.frames},
                                         {"flip_probability", s.flip_probability},
                                         {"top5_distance", s.top5_distance},
                                         {"zipf_distance", s.zipf_distance}});
  }
  for (const SummaryRow& row : summarize(run)) json["summary"][row.key] = row.value;
  return json;
}

}  // namespace

std::string results_text(const std::vector<EvaluationResults>& runs, const EvaluateOptions& options) {
  NM_CHECK(!runs.empty(), "[results] expects at least one run");
  return runs.size() == 1 ? one_run_text(runs[0], options) : several_runs_text(runs, options);
}

std::string results_json(const std::vector<EvaluationResults>& runs) {
  if (runs.size() == 1) return json_of(runs[0]).dump();
  nlohmann::ordered_json array = nlohmann::ordered_json::array();
  for (const EvaluationResults& run : runs) array.push_back(json_of(run));
  return array.dump();
}

}  // namespace noisymix
