#include "tools/sweep/sweep_columns.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "tools/evaluation/calibration.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/flips.h"
#include "tools/evaluation/summary.h"

namespace noisymix {
namespace {

using Unit = SweepColumn::Unit;

std::string level_text(double level) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", level);
  return text;
}

/// A number of summarize() under the name that columns have.
struct Renamed {
  const char* key;
  const char* summary;
};
constexpr Renamed kRenamed[] = {
    {"clean", "clean_accuracy"}, {"corruption", "corruption_accuracy"}, {"ece", "clean_ece"}};

/// DiGN's measures over 16 equal bins: of the clean set ("clean_16bin_ece"), and pooled over the types of
/// mCA-N ("noise_16bin_ece").
struct BinColumn {
  const char* measure;
  double CalibrationErrors::*value;
  Unit unit;
  bool higher_is_better;
  const char* title;
};
constexpr BinColumn kBinColumns[] = {
    {"rms", &CalibrationErrors::rms, Unit::percent, false, "RMS calibration error"},
    {"ece", &CalibrationErrors::ece, Unit::percent, false, "ECE"},
    {"oe", &CalibrationErrors::oe, Unit::percent, false, "Overconfidence"},
    {"sh", &CalibrationErrors::sh, Unit::number, true, "Sharpness"},
};

std::optional<double> pooled(const EvaluationResults& results, const BinColumn& column, bool noise) {
  std::vector<BinSums> bins;
  const TypeNames& types = mca_noise_names(results.parameter_set);
  for (const Cell& cell : results.cells) {
    const bool wanted =
        noise ? cell.suite == "corruptions" && std::ranges::find(types, cell.type) != types.end()
              : cell.suite == "clean";
    if (wanted && !cell.bins.empty()) add_bins(bins, cell.bins);
  }
  if (bins.empty()) return std::nullopt;
  const double value = calibration_errors(bins).*column.value;
  return std::isfinite(value) ? std::optional<double>(value) : std::nullopt;
}

struct Level {
  const char* type;
  const char* suite;
  const char* title;
  const std::vector<double>& levels;
};

std::vector<Level> levels_of(const EvaluateOptions& options) {
  std::vector<Level> levels;
  if (options.has(Suite::noise)) {
    levels.push_back({"white_noise", "noise", "White noise", options.white_noise});
    levels.push_back({"salt_pepper", "noise", "Salt & pepper", options.salt_pepper});
  }
  if (options.has(Suite::attacks)) {
    levels.push_back({"fgsm", "attacks", "FGSM", options.attacks.fgsm});
    levels.push_back({"pgd_linf", "attacks", "PGD Linf", options.attacks.pgd_linf});
    levels.push_back({"pgd_l2", "attacks", "PGD L2", options.attacks.pgd_l2});
  }
  return levels;
}

void add_levels(std::vector<SweepColumn>& columns, const EvaluateOptions& options) {
  for (const Level& level : levels_of(options)) {
    for (const double value : level.levels) {
      if (value == 0) continue;
      const bool pixels =
          std::string_view(level.type) == "fgsm" || std::string_view(level.type) == "pgd_linf";
      const std::string shown = pixels ? level_text(255 * value) + "/255" : level_text(value);
      columns.push_back(
          {level.type + ("_" + level_text(value)), level.title + (" " + shown), Unit::percent, true});
    }
  }
}

bool has_corruptions(const EvaluateOptions& options) {
  return options.has(Suite::corruptions) || options.has(Suite::calibration);
}

void add_extra(std::vector<SweepColumn>& columns, const EvaluateOptions& options) {
  const auto add = [&](const std::string& key, const std::string& title, bool higher) {
    columns.push_back({key, title, Unit::percent, higher});
  };
  add("clean_rms", "RMS calibration error, clean, adaptive", false);
  add("clean_aurra", "AURRA, clean", true);
  for (const BinColumn& c : kBinColumns)
    columns.push_back({std::string("clean_16bin_") + c.measure, std::string(c.title) + ", clean, 16 bins",
                       c.unit, c.higher_is_better});
  if (has_corruptions(options)) {
    add("no_noise_accuracy", "Corruptions without noise", true);
    for (const CorruptionCategory& category : corruption_categories())
      add(category.key + "_accuracy", "Corruptions: " + category.key, true);
    add("mca", "mCA", true);
    add("mca_noise", "mCA-N", true);
    add("corruption_pooled_ece", "ECE, corrupted, pooled", false);
    add("corruption_pooled_rms", "RMS calibration error, corrupted, pooled", false);
    add("corruption_pooled_oe", "Overconfidence, corrupted, pooled", false);
    columns.push_back({"corruption_pooled_sh", "Sharpness, corrupted, pooled", Unit::number, true});
    for (const BinColumn& c : kBinColumns)
      columns.push_back({std::string("noise_16bin_") + c.measure,
                         std::string(c.title) + ", noise types, 16 bins", c.unit, c.higher_is_better});
  }
  if (options.has(Suite::sequences)) {
    for (const PerturbationCategory& category : perturbation_categories())
      add(category.key + "_flips", "Flips: " + category.key, false);
  }
}

/// Accuracy of the cell that "white_noise_0.1" names.
std::optional<double> level_value(const std::string& key, const EvaluationResults& results) {
  for (const Cell& cell : results.cells) {
    if ((cell.suite == "noise" || cell.suite == "attacks") && cell.level != 0 &&
        key == cell.type + "_" + level_text(cell.level))
      return cell.accuracy;
  }
  return std::nullopt;
}

}  // namespace

std::vector<SweepColumn> default_columns(const EvaluateOptions& options) {
  std::vector<SweepColumn> columns{{"clean", "Clean", Unit::percent, true}};
  if (has_corruptions(options)) columns.push_back({"corruption", "Corruptions", Unit::percent, true});
  add_levels(columns, options);
  if (options.has(Suite::sequences)) columns.push_back({"mfp", "mFP", Unit::percent, false});
  columns.push_back({"ece", "ECE, clean", Unit::percent, false});
  if (has_corruptions(options)) columns.push_back({"corruption_ece", "ECE, corrupted", Unit::percent, false});
  columns.push_back({"time", "Training time", Unit::seconds, false});
  return columns;
}

std::vector<SweepColumn> possible_columns(const EvaluateOptions& options) {
  std::vector<SweepColumn> columns = default_columns(options);
  const SweepColumn time = columns.back();
  columns.pop_back();
  add_extra(columns, options);
  columns.push_back(time);
  return columns;
}

std::optional<double> column_value(const std::string& key, const EvaluationResults& results) {
  for (const BinColumn& column : kBinColumns) {
    if (key == std::string("clean_16bin_") + column.measure) return pooled(results, column, false);
    if (key == std::string("noise_16bin_") + column.measure) return pooled(results, column, true);
  }
  std::string wanted = key;
  for (const Renamed& renamed : kRenamed)
    if (key == renamed.key) wanted = renamed.summary;
  for (const SummaryRow& row : summarize(results))
    if (row.key == wanted) return row.value;
  return level_value(key, results);
}

}  // namespace noisymix
