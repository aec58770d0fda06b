// Training curves, decision boundaries, harmed images, and the table of where everything comes from.
#include <algorithm>
#include <cmath>
#include <functional>

#include "tools/report/line_chart.h"
#include "tools/report/sections.h"

namespace noisymix::report {
namespace {

using Point = std::function<double(const CurvePoint&)>;

LineSeries curve_series(const ReportRun& run, std::size_t index, bool test, const Point& value) {
  LineSeries series{
      run.label + (test ? ", test" : ", training"), index, !test, run.curve->points.size() <= 12, {}};
  for (const CurvePoint& point : run.curve->points) {
    if (!test || point.test_loss) series.points.push_back({point.epoch, value(point)});
  }
  return series;
}

LineChart curve_chart(const ReportRuns& runs, const std::string& title, const Point& train,
                      const Point& test) {
  LineChart chart{title, "epoch", {}, {}, {}, true, ""};
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (!runs[run].curve) continue;
    chart.series.push_back(curve_series(runs[run], run, false, train));
    chart.series.push_back(curve_series(runs[run], run, true, test));
  }
  return chart;
}

/// One line of the table: a fact of each run.
using Fact = std::function<std::string(const ReportRun&)>;

std::string fact_row(const ReportRuns& runs, const std::string& name, const Fact& fact) {
  std::string cells;
  bool any = false;
  for (const ReportRun& run : runs) {
    const std::string text = fact(run);
    any = any || !text.empty();
    cells += "<td>" + (text.empty() ? "\xE2\x80\x93" : escape(text)) + "</td>";
  }
  return any ? "<tr><th scope=\"row\">" + escape(name) + "</th>" + cells + "</tr>\n" : "";
}

Fact of_training(std::string (*fact)(const TrainingFacts&)) {
  return [fact](const ReportRun& run) { return run.training ? fact(*run.training) : std::string(); };
}
Fact of_results(std::string (*fact)(const EvaluationResults&)) {
  return [fact](const ReportRun& run) { return run.results ? fact(*run.results) : std::string(); };
}

std::string speed(double images, double seconds) {
  return seconds > 0 && images > 0 ? grouped(std::llround(images / seconds)) + " images/s" : "";
}

std::string fact_rows(const ReportRuns& runs) {
  std::string out = fact_row(runs, "Run", [](const ReportRun& run) { return run.path; });
  const auto training = [&](const char* name, std::string (*fact)(const TrainingFacts&)) {
    out += fact_row(runs, name, of_training(fact));
  };
  const auto results = [&](const char* name, std::string (*fact)(const EvaluationResults&)) {
    out += fact_row(runs, name, of_results(fact));
  };
  training("Model", [](const TrainingFacts& f) { return f.model; });
  training("Parameters",
           [](const TrainingFacts& f) { return f.parameters > 0 ? grouped(f.parameters) : ""; });
  training("Trained on", [](const TrainingFacts& f) { return f.train_data; });
  training("Seed of training", [](const TrainingFacts& f) { return std::to_string(f.seed); });
  training("Epochs", [](const TrainingFacts& f) { return std::to_string(f.epochs); });
  training("Training time", [](const TrainingFacts& f) { return f.seconds > 0 ? duration(f.seconds) : ""; });
  training("Training speed", [](const TrainingFacts& f) { return speed(f.images_per_second, 1); });
  training("Trained by",
           [](const TrainingFacts& f) { return f.version.empty() ? "" : "noisymix " + f.version; });
  results("Weights", [](const EvaluationResults& r) { return r.weights_hash; });
  results("Evaluated on", [](const EvaluationResults& r) { return r.data; });
  results("Images and labels", [](const EvaluationResults& r) { return r.data_hash; });
  results("Constants", [](const EvaluationResults& r) { return r.parameter_set; });
  results("Seed of evaluation", [](const EvaluationResults& r) { return std::to_string(r.evaluation_seed); });
  results("Evaluation time",
          [](const EvaluationResults& r) { return r.seconds > 0 ? duration(r.seconds) : ""; });
  results("Evaluation speed",
          [](const EvaluationResults& r) { return speed(static_cast<double>(r.images), r.seconds); });
  results("Evaluated by",
          [](const EvaluationResults& r) { return r.version.empty() ? "" : "noisymix " + r.version; });
  return out;
}

}  // namespace

std::optional<Section> curves_section(const ReportRuns& runs) {
  const auto percent_of = [](std::optional<double> value) { return value ? 100 * *value : std::nan(""); };
  const std::vector<std::string> figures{
      draw(curve_chart(
          runs, "Loss", [](const CurvePoint& p) { return p.train_loss; },
          [](const CurvePoint& p) { return p.test_loss.value_or(std::nan("")); })),
      draw(curve_chart(
          runs, "Accuracy in %", [](const CurvePoint& p) { return 100 * p.train_accuracy; },
          [=](const CurvePoint& p) { return percent_of(p.test_accuracy); }))};
  if (figures[0].empty() && figures[1].empty()) return std::nullopt;
  return Section{
      "training", "Training",
      "Solid lines are on the test set, dashed ones on the training images as the model sees them. Training "
      "on mixed and "
      "noisy images is harder than testing on clean ones, so a dashed line may well be the worse one.",
      in_columns(figures)};
}

std::optional<Section> boundary_section(const ReportRuns& runs) {
  std::vector<BoundaryPanel> panels;
  for (const ReportRun& run : runs) {
    if (run.boundary) panels.push_back(*run.boundary);
  }
  if (panels.empty()) return std::nullopt;
  const Image drawing = draw_boundaries(panels, {});
  return Section{
      "boundaries", "Decision boundaries",
      "The colour is the probability of class 1 over the plane, the black line where the model cannot "
      "decide. Dots are the "
      "test points, the number above is their accuracy. A smooth boundary far from the points resists noise.",
      "<img class=\"boundaries\" src=\"" + data_uri(drawing) + "\" alt=\"Decision boundaries\" width=\"" +
          std::to_string(drawing.width) + "\" height=\"" + std::to_string(drawing.height) + "\">\n"};
}

std::optional<Section> harmed_section(const ReportRuns& runs) {
  std::string figures;
  for (std::size_t run = 0; run < runs.size(); ++run)
    figures += draw(ImageGrid{runs[run].label, run, runs[run].harmed});
  if (figures.empty()) return std::nullopt;
  return Section{"harmed", "Most-harmed images",
                 "Test images that the model recognises (left) and, once corrupted at severity 3 (right), "
                 "takes for something else with "
                 "the greatest confidence. Below each picture: the answer and its confidence.",
                 in_row(figures)};
}

std::optional<Section> provenance_section(const ReportRuns& runs) {
  std::string head = "<tr><th></th>";
  for (std::size_t run = 0; run < runs.size(); ++run) {
    head +=
        "<th scope=\"col\"><i class=\"dot " + run_class(run) + "\"></i>" + escape(runs[run].label) + "</th>";
  }
  std::string body = "<div class=\"scroll\"><table class=\"facts\">\n<thead>" + head +
                     "</tr></thead>\n<tbody>\n" + fact_rows(runs) + "</tbody></table></div>\n";
  for (std::size_t run = 0; run < runs.size(); ++run) {
    if (runs[run].config.empty()) continue;
    body += "<details><summary><i class=\"dot " + run_class(run) + "\"></i>Settings of " +
            escape(runs[run].label) + "</summary><pre>" + escape(runs[run].config) + "</pre></details>\n";
  }
  return Section{"provenance", "Provenance",
                 "Where these numbers come from. The same settings, seed and data give the same weights; the "
                 "hashes tell whether two "
                 "results belong to the same files.",
                 body};
}

}  // namespace noisymix::report
