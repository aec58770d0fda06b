#include "tools/plot_curves.h"

#include <cmath>
#include <fstream>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/line_chart.h"
#include "tools/run_directory.h"

namespace noisymix {
namespace {

CurvePoint point_of(const nlohmann::json& line) {
  CurvePoint point;
  // A diverged loss is written as null.
  const auto value = [&line](const char* key) {
    return line.contains(key) && line[key].is_number() ? line[key].get<double>() : std::nan("");
  };
  point.epoch = value("epoch");
  point.train_loss = value("train_loss");
  point.train_accuracy = value("train_accuracy");
  if (line.contains("test_loss")) point.test_loss = value("test_loss");
  if (line.contains("test_accuracy")) point.test_accuracy = value("test_accuracy");
  return point;
}

}  // namespace

TrainingCurve read_training_curve(const std::filesystem::path& run) {
  const RunDirectory directory(run);
  TrainingCurve curve;
  if (directory.exists()) curve.title = directory.read_config().title;
  if (curve.title.empty()) curve.title = run.filename().string();
  std::ifstream in(directory.metrics_file());
  NM_CHECK_AS(DataError, in.good(), directory.metrics_file().string(), ": cannot be opened");
  std::string text;
  for (int number_of_line = 1; std::getline(in, text); ++number_of_line) {
    const nlohmann::json line = nlohmann::json::parse(text, nullptr, false);
    if (line.is_discarded() && in.eof()) break;
    NM_CHECK_AS(DataError, line.is_object(), directory.metrics_file().string(), ":", number_of_line,
                ": not a JSON object");
    if (line.value("kind", "") == "epoch") curve.points.push_back(point_of(line));
  }
  NM_CHECK_AS(DataError, !curve.points.empty(), directory.metrics_file().string(),
              ": no epoch has been finished");
  return curve;
}

std::string draw_curves(const std::vector<TrainingCurve>& curves) {
  using Value = std::optional<double>;
  const auto chart = [&curves](const char* title, double factor, auto train, auto test) {
    Chart result{.title = title, .x_name = "epoch", .from_zero = true, .lines = {}};
    for (std::size_t i = 0; i < curves.size(); ++i) {
      ChartLine solid{.name = curves[i].title, .points = {}, .color = i};
      ChartLine dashed{.name = "the same in training", .points = {}, .color = i, .dashed = true};
      for (const CurvePoint& point : curves[i].points) {
        dashed.points.push_back({point.epoch, factor * train(point)});
        // Epochs without evaluation are bridged.
        if (const Value value = test(point)) solid.points.push_back({point.epoch, factor * *value});
      }
      result.lines.push_back(std::move(solid));
      result.lines.push_back(std::move(dashed));
    }
    return result;
  };
  return draw_charts({chart(
                          "Loss", 1, [](const CurvePoint& p) { return p.train_loss; },
                          [](const CurvePoint& p) { return p.test_loss; }),
                      chart(
                          "Accuracy, %", 100, [](const CurvePoint& p) { return p.train_accuracy; },
                          [](const CurvePoint& p) { return p.test_accuracy; })},
                     2);
}

}  // namespace noisymix
