#include "tools/analysis/error_curves.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/csv_field.h"
#include "tools/line_chart.h"
#include "tools/plot_curves.h"

namespace noisymix {
namespace {

struct Group {
  ErrorCurve curve;
  std::vector<TrainingCurve> runs;
};

/// The group's points at the epochs that all its runs have.
void average(Group& group) {
  struct Values {
    std::vector<double> train, test;
  };
  std::map<int, Values> epochs;
  for (const TrainingCurve& run : group.runs) {
    for (const CurvePoint& point : run.points) {
      Values& values = epochs[static_cast<int>(point.epoch)];
      values.train.push_back(1 - point.train_accuracy);
      if (point.test_accuracy) values.test.push_back(1 - *point.test_accuracy);
    }
  }
  for (const auto& [epoch, values] : epochs) {
    if (values.train.size() != group.runs.size()) continue;
    ErrorPoint point{.epoch = epoch, .train = spread_of(values.train), .test = {}};
    if (values.test.size() == group.runs.size()) point.test = spread_of(values.test);
    group.curve.points.push_back(point);
  }
}

nlohmann::ordered_json json_of(const SeedSpread& spread) {
  return {{"mean", spread.mean}, {"deviation", spread.deviation}, {"low", spread.low}, {"high", spread.high}};
}

}  // namespace

std::vector<ErrorCurve> error_curves(const std::vector<GroupedRun>& runs) {
  check_distinct(runs);
  std::vector<Group> groups;
  for (const GroupedRun& run : runs) {
    TrainingCurve curve = read_training_curve(run.path);
    const std::string title = run.group.empty() ? curve.title : run.group;
    auto group =
        std::find_if(groups.begin(), groups.end(), [&](const Group& g) { return g.curve.title == title; });
    if (group == groups.end())
      group = groups.insert(groups.end(), Group{.curve = {title, {}, {}}, .runs = {}});
    group->curve.runs.push_back(run.path);
    group->runs.push_back(std::move(curve));
  }
  std::vector<ErrorCurve> curves;
  for (Group& group : groups) {
    average(group);
    NM_CHECK_AS(DataError, !group.curve.points.empty(), "the runs of \"", group.curve.title,
                "\" have no finished epoch in common");
    curves.push_back(std::move(group.curve));
  }
  return curves;
}

std::string error_curves_json(const std::vector<ErrorCurve>& curves) {
  nlohmann::ordered_json json{{"analysis", "errors"}, {"deviation", "sample"}};
  json["groups"] = nlohmann::ordered_json::array();
  for (const ErrorCurve& curve : curves) {
    nlohmann::ordered_json entry{{"title", curve.title}, {"runs", curve.runs}};
    for (const ErrorPoint& point : curve.points) {
      nlohmann::ordered_json line{{"epoch", point.epoch}, {"train_error", json_of(point.train)}};
      if (point.test) line["test_error"] = json_of(*point.test);
      entry["epochs"].push_back(line);
    }
    json["groups"].push_back(entry);
  }
  return json.dump(1) + "\n";
}

std::string error_curves_csv(const std::vector<ErrorCurve>& curves) {
  std::string out = "group,runs,epoch,train_error,train_deviation,test_error,test_deviation\n";
  for (const ErrorCurve& curve : curves) {
    for (const ErrorPoint& point : curve.points) {
      char line[160], test[64] = ",";
      if (point.test) std::snprintf(test, sizeof test, "%.9g,%.9g", point.test->mean, point.test->deviation);
      std::snprintf(line, sizeof line, ",%d,%d,%.9g,%.9g,%s\n", point.train.runs, point.epoch,
                    point.train.mean, point.train.deviation, test);
      out += csv_field(curve.title) + line;
    }
  }
  return out;
}

std::string error_curves_svg(const std::vector<ErrorCurve>& curves) {
  const auto chart = [&curves](const char* title, auto value) {
    Chart result{.title = title, .x_name = "epoch", .from_zero = true, .lines = {}};
    for (std::size_t i = 0; i < curves.size(); ++i) {
      ChartLine line{.name = curves[i].title, .points = {}, .color = i};
      for (const ErrorPoint& point : curves[i].points) {
        const std::optional<SeedSpread> spread = value(point);
        if (!spread) continue;  // epochs without evaluation are bridged
        const double x = point.epoch, mean = 100 * spread->mean, deviation = 100 * spread->deviation;
        line.points.push_back({x, mean});
        if (spread->runs > 1) line.band.push_back({x, mean - deviation, mean + deviation});
      }
      result.lines.push_back(std::move(line));
    }
    return result;
  };
  return draw_charts(
      {chart("Training error, %", [](const ErrorPoint& p) { return std::optional<SeedSpread>(p.train); }),
       chart("Test error, %", [](const ErrorPoint& p) { return p.test; })},
      2);
}

}  // namespace noisymix
