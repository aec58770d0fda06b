// Noise and attacks by level, calibration, sequences, confusions.
#include <algorithm>
#include <cmath>

#include "tools/evaluation/calibration.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/flips.h"
#include "tools/evaluation/type_labels.h"
#include "tools/report/bar_chart.h"
#include "tools/report/confusion_matrix.h"
#include "tools/report/line_chart.h"
#include "tools/report/reliability_diagram.h"
#include "tools/report/sections.h"

namespace noisymix::report {
namespace {

/// Kinds of noise or attack that any run has, in the order they first come.
std::vector<std::string> types_of(const ReportRuns& runs, const std::string& suite) {
  std::vector<std::string> types;
  for (const ReportRun& run : runs) {
    if (!run.results) continue;
    for (const Cell& cell : run.results->cells) {
      if (cell.suite == suite && std::find(types.begin(), types.end(), cell.type) == types.end()) {
        types.push_back(cell.type);
      }
    }
  }
  return types;
}

/// Accuracy in % by level; the clean accuracy stands at level 0.
LineSeries series_of(const ReportRun& run, std::size_t index, const std::string& suite,
                     const std::string& type) {
  LineSeries series{run.label, index, false, true, {}};
  if (!run.results) return series;
  for (const Cell& cell : run.results->cells) {
    if (cell.suite == suite && cell.type == type) series.points.push_back({cell.level, 100 * cell.accuracy});
  }
  const Cell* clean = run.results->find("clean", "clean");
  const bool has_zero =
      std::any_of(series.points.begin(), series.points.end(), [](const auto& p) { return p.x <= 0; });
  if (clean && !series.points.empty() && !has_zero) series.points.push_back({0, 100 * clean->accuracy});
  std::stable_sort(series.points.begin(), series.points.end(),
                   [](const auto& a, const auto& b) { return a.x < b.x; });
  return series;
}

std::string level_name(const std::string& type) {
  if (type == "white_noise") return "standard deviation (normalised units)";
  if (type == "salt_pepper") return "share of pixels";
  return type == "pgd_l2" ? "radius, L2 norm" : "radius, largest change of a pixel";
}

LineChart level_chart(const ReportRuns& runs, const std::string& suite, const std::string& type) {
  LineChart chart{label_of_type(type) + ", accuracy in %", level_name(type), {}, 0.0, 100.0, false, " %"};
  for (std::size_t run = 0; run < runs.size(); ++run)
    chart.series.push_back(series_of(runs[run], run, suite, type));
  return chart;
}

/// Of the corruptions only the benchmark's fifteen, over which the summary pools as well.
std::vector<BinSums> pooled(const EvaluationResults& results, const std::string& suite) {
  const TypeNames& types = benchmark_corruption_names();
  std::vector<BinSums> sums;
  for (const Cell& cell : results.cells) {
    const bool counts = suite != "corruptions" || std::ranges::find(types, cell.type) != types.end();
    if (cell.suite == suite && counts && !cell.bins.empty()) add_bins(sums, cell.bins);
  }
  return sums;
}

BarRow flip_row(const ReportRuns& runs, const std::string& label, const std::vector<std::string>& types,
                bool heading) {
  BarRow row{label, {}, heading};
  for (const ReportRun& run : runs) {
    double sum = 0;
    std::size_t count = 0;
    for (const std::string& type : types) {
      const SequenceScores* scores = run.results ? run.results->find_sequence(type) : nullptr;
      if (scores) sum += scores->flip_probability, ++count;
    }
    const bool complete = count > 0 && count == types.size();
    row.values.push_back(complete ? std::optional<double>(sum / static_cast<double>(count)) : std::nullopt);
  }
  return row;
}

}  // namespace

std::optional<Section> levels_section(const ReportRuns& runs) {
  std::vector<std::string> figures;
  for (const std::string suite : {"noise", "attacks"}) {
    for (const std::string& type : types_of(runs, suite))
      figures.push_back(draw(level_chart(runs, suite, type)));
  }
  if (figures.empty()) return std::nullopt;
  const bool attacked = !types_of(runs, "attacks").empty();
  Section section{"levels", attacked ? "Noise and attacks" : "Noise", "", in_columns(figures)};
  section.text = "Accuracy as the disturbance grows, from the clean test set at the left.";
  if (attacked) {
    section.text +=
        " Noise is drawn at random; an attack searches, knowing the model, the change within the radius that "
        "makes it fail, so its curve falls much faster.";
  }
  return section;
}

std::optional<Section> calibration_section(const ReportRuns& runs) {
  std::vector<std::string> figures;
  for (const auto& [suite, name] : {std::pair{"clean", "Clean"}, std::pair{"corruptions", "Corrupted"}}) {
    for (std::size_t run = 0; run < runs.size(); ++run) {
      if (!runs[run].results) continue;
      const std::vector<BinSums> bins = pooled(*runs[run].results, suite);
      const bool some =
          std::any_of(bins.begin(), bins.end(), [](const BinSums& bin) { return bin.count > 0; });
      if (some)
        figures.push_back(draw(ReliabilityDiagram{
            std::string(name) + (runs.size() > 1 ? ", " + runs[run].label : ""), run, bins}));
    }
  }
  if (figures.empty()) return std::nullopt;
  return Section{
      "calibration", "Calibration",
      "Of the answers given with 80 % confidence, 80 % should be right: bars would end at the "
      "dotted diagonal. "
      "The outlined gap is the difference between confidence and accuracy; the expected "
      "calibration error (ECE) is its "
      "mean over examples; corrupted are the images of all fifteen types at all severities. The small bars "
      "below show how often each confidence occurs; pale bins "
      "hold less than 1 % of the examples.",
      in_columns(figures, true)};
}

std::optional<Section> sequences_section(const ReportRuns& runs) {
  std::vector<std::string> types;
  double largest = 0;
  for (const ReportRun& run : runs) {
    if (!run.results) continue;
    for (const SequenceScores& scores : run.results->sequences) {
      if (scores.difficulty != 1) continue;
      largest = std::max(largest, scores.flip_probability);
      if (std::find(types.begin(), types.end(), scores.type) == types.end()) types.push_back(scores.type);
    }
  }
  if (types.empty()) return std::nullopt;
  BarChart chart{
      "Flip probability in %, less is better", labels_of(runs), {}, std::max(largest * 1.02, 1e-9), 2, true};
  chart.rows.push_back(flip_row(runs, "Mean", types, true));
  for (const std::string& type : types)
    chart.rows.push_back(flip_row(runs, label_of_type(type), {type}, false));
  return Section{"sequences", "Stability along sequences",
                 "Each test image slowly moves, blurs or changes its brightness, like frames of a film. The "
                 "flip probability is the "
                 "share of frames where the model changes its mind, whether or not it is right; for noise, "
                 "frames are compared "
                 "with the first one.",
                 in_row(draw(chart))};
}

std::optional<Section> confusion_section(const ReportRuns& runs) {
  std::string clean, corrupted;
  std::size_t classes = 0;
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (!runs[run].results) continue;
    const EvaluationResults& results = *runs[run].results;
    const std::string name = runs.size() > 1 ? ", " + runs[run].label : "";
    classes = std::max(classes, results.class_names.size());
    clean += draw(ConfusionMatrix{"Clean" + name, run, results.class_names, results.clean_confusion});
    corrupted +=
        draw(ConfusionMatrix{"Corrupted" + name, run, results.class_names, results.corrupted_confusion});
  }
  if (clean.empty() && corrupted.empty()) return std::nullopt;
  Section section{"confusions", "Confusions", "",
                  in_row(clean, "confusions") + in_row(corrupted, "confusions")};
  section.text = classes <= kLargestMatrix
                     ? "Rows are true classes and add up to 100 %, columns are what the model answers. The "
                       "diagonal (blue) is "
                       "right; strong orange beside it is a class taken for another. Corrupted: over all "
                       "types and severities."
                     : "The pairs of classes confused most often, with the share of the true class's images.";
  return section;
}

}  // namespace noisymix::report
