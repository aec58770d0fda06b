#include "tools/evaluation/summary.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "tools/evaluation/calibration.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/flips.h"

namespace noisymix {
namespace {

class Summary {
 public:
  explicit Summary(const EvaluationResults& results) : results_(results) {}

  std::vector<SummaryRow> rows() && {
    clean();
    corruptions();
    corruption_calibration();
    levels("noise", "white_noise", "white noise");
    levels("noise", "salt_pepper", "salt & pepper");
    attacks();
    sequences();
    return std::move(rows_);
  }

 private:
  enum class Better { higher, lower };

  void add(const std::string& key, const std::string& label, double value, bool percent, Better better) {
    if (std::isfinite(value)) rows_.push_back({key, label, value, percent, better == Better::higher});
  }

  /// A mean over cells; the label tells when some are missing.
  void add_mean(const std::string& key, std::string label, CellMean mean, Better better) {
    if (mean.present == 0) return;
    if (!mean.complete())
      label += " over " + std::to_string(mean.present) + " of " + std::to_string(mean.wanted) + " cells";
    add(key, label, mean.value, true, better);
  }

  void clean() {
    const Cell* cell = results_.find("clean", "clean");
    if (cell == nullptr) return;
    add("clean_accuracy", "clean accuracy", cell->accuracy, true, Better::higher);
    add("clean_ece", "clean ECE, 15 bins", cell->ece, true, Better::lower);
    add("clean_rms", "clean RMS calibration error, adaptive", cell->adaptive_rms, true, Better::lower);
    add("clean_aurra", "clean AURRA", cell->aurra, true, Better::higher);
  }

  void accuracy(const std::string& key, const std::string& label, const TypeNames& types) {
    add_mean(key, label, mean_corruption_accuracy(results_, types), Better::higher);
  }

  void corruptions() {
    const TypeNames& all = benchmark_corruption_names();
    const std::string& set = results_.parameter_set;
    accuracy("corruption_accuracy", "corruptions", all);
    accuracy("no_noise_accuracy", "corruptions without noise", no_noise_corruption_names());
    for (const CorruptionCategory& category : corruption_categories())
      accuracy(category.key + "_accuracy", "corruptions: " + category.key, category.types);
    accuracy("mca", "mCA, " + std::to_string(mca_names(set).size()) + " types", mca_names(set));
    accuracy("mca_noise", "mCA-N, " + std::to_string(mca_noise_names(set).size()) + " types",
             mca_noise_names(set));
    CellMean error = mean_corruption_accuracy(results_, all);
    error.value = 1 - error.value;
    add_mean("corruption_error", "mean corruption error, unnormalised", error, Better::lower);
    if (set == "imagenet-c")
      if (const auto mce = mean_corruption_error(results_)) add("mce", "mCE", *mce, true, Better::lower);
  }

  void corruption_calibration() {
    const TypeNames& types = benchmark_corruption_names();
    CellMean cells;
    cells.wanted = static_cast<int>(types.size() * kAllSeverities.size());
    std::vector<BinSums> pooled;
    for (const Cell& cell : results_.cells) {
      if (cell.suite != "corruptions" || cell.bins.empty() ||
          std::ranges::find(types, cell.type) == types.end())
        continue;
      add_bins(pooled, cell.bins);
      ++cells.present;
    }
    const CalibrationErrors errors = calibration_errors(pooled);
    const auto pooled_row = [&](const char* key, const char* label, double value) {
      cells.value = value;
      add_mean(key, label, cells, Better::lower);
    };
    pooled_row("corruption_pooled_ece", "corruptions: pooled ECE, 16 bins", errors.ece);
    pooled_row("corruption_pooled_rms", "corruptions: pooled RMS calibration error", errors.rms);
    pooled_row("corruption_pooled_oe", "corruptions: pooled overconfidence", errors.oe);
    if (cells.present > 0)
      add("corruption_pooled_sh", "corruptions: pooled sharpness", errors.sh, false, Better::higher);
    add_mean("corruption_ece", "corruptions: mean ECE, 15 bins", mean_corruption_ece(results_, types),
             Better::lower);
  }

  static std::string level_text(double level) {
    char text[32];
    std::snprintf(text, sizeof text, "%.4g", level);
    return text;
  }

  /// Mean over the levels of one perturbation; which levels these are, the label says.
  void levels(const std::string& suite, const std::string& type, const std::string& name) {
    CellMean mean;
    std::string shown;
    for (const Cell& cell : results_.cells) {
      if (cell.suite != suite || cell.type != type || cell.level == 0) continue;
      mean.value += cell.accuracy;
      ++mean.present;
      shown += (shown.empty() ? "" : ", ") + level_text(cell.level);
    }
    if (mean.present == 0) return;
    if (mean.present > 4) shown = std::to_string(mean.present) + " levels";
    add(type + "_accuracy", name + ", mean over " + shown, mean.value / mean.present, true, Better::higher);
  }

  void attacks() {
    for (const Cell& cell : results_.cells) {
      if (cell.suite != "attacks") continue;
      const double grey_levels = cell.level * 255;  // radii of pixels are chosen in these
      const bool whole = cell.type != "pgd_l2" && std::abs(grey_levels - std::round(grey_levels)) < 1e-6;
      const std::string shown = whole ? level_text(grey_levels) + "/255" : level_text(cell.level);
      add(cell.type + "_" + level_text(cell.level) + "_accuracy", "attack " + cell.type + ", radius " + shown,
          cell.accuracy, true, Better::higher);
    }
  }

  /// Mean flip probability over the types present at the easiest difficulty.
  CellMean flips(const std::vector<std::string>& types) const {
    CellMean mean;
    mean.wanted = static_cast<int>(types.size());
    for (const std::string& type : types) {
      const SequenceScores* scores = results_.find_sequence(type);
      if (scores == nullptr) continue;
      mean.value += scores->flip_probability;
      ++mean.present;
    }
    if (mean.present > 0) mean.value /= mean.present;
    return mean;
  }

  void flip_row(const std::string& key, std::string label, const std::vector<std::string>& types) {
    const CellMean mean = flips(types);
    if (mean.present == 0) return;
    if (!mean.complete())
      label += " over " + std::to_string(mean.present) + " of " + std::to_string(mean.wanted) + " types";
    add(key, label, mean.value, true, Better::lower);
  }

  void sequences() {
    flip_row("mfp", "mFP, mean flip probability", benchmark_perturbations());
    for (const PerturbationCategory& category : perturbation_categories())
      flip_row(category.key + "_flips", "flips: " + category.key, category.types);
  }

  const EvaluationResults& results_;
  std::vector<SummaryRow> rows_;
};

}  // namespace

std::vector<SummaryRow> summarize(const EvaluationResults& results) {
  return Summary(results).rows();
}

}  // namespace noisymix
