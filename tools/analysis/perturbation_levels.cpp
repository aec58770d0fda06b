#include "tools/analysis/perturbation_levels.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tools/csv_field.h"
#include "tools/line_chart.h"

namespace noisymix {
namespace {

/// Share of the first `count` examples of the clean set that the run gets right.
double clean_accuracy(const EvaluationResults& run, std::int64_t count) {
  const Cell* clean = run.find("clean", "clean");
  NM_CHECK_AS(DataError, clean != nullptr && static_cast<std::int64_t>(clean->correct.size()) >= count,
              run.run, ": its clean accuracy is not known");
  const auto first = clean->correct.begin();
  return static_cast<double>(std::accumulate(first, first + count, std::int64_t{0})) /
         static_cast<double>(count);
}

/// Examples that the perturbed cells of a kind saw, those of the clean set when there are none.
std::int64_t examples_of(const EvaluationResults& run, const LevelKind& kind) {
  for (const double level : kind.levels) {
    const Cell* cell = level > 0 ? run.find(kind.suite, kind.type, 0, level) : nullptr;
    if (cell != nullptr) return cell->count;
  }
  const Cell* clean = run.find("clean", "clean");
  return clean != nullptr ? clean->count : 0;
}

double accuracy_at(const EvaluationResults& run, const LevelKind& kind, double level, std::int64_t examples) {
  if (level == 0) return clean_accuracy(run, examples);
  const Cell* cell = run.find(kind.suite, kind.type, 0, level);
  NM_CHECK_AS(DataError, cell != nullptr, run.run, ": no result for ", kind.type, " at level ", level);
  return cell->accuracy;
}

/// The levels of one kind as the evaluation wants them: without 0, which is the clean set.
std::vector<double> perturbing(const std::vector<LevelKind>& kinds, const char* type) {
  std::vector<double> levels;
  for (const LevelKind& kind : kinds)
    if (kind.type == type)
      std::copy_if(kind.levels.begin(), kind.levels.end(), std::back_inserter(levels),
                   [](double level) { return level > 0; });
  return levels;
}

}  // namespace

const std::vector<LevelKind>& level_kinds() {
  // White noise and salt & pepper at the levels of NFM's curves (10.1, 10.2); radii of PGD are not published.
  static const std::vector<double> noise = {0,    0.02, 0.04, 0.06, 0.08, 0.1, 0.12,
                                            0.15, 0.18, 0.2,  0.25, 0.3,  0.35};
  static const std::vector<LevelKind> kinds = {
      {"white", "noise", "white_noise", "White noise", "standard deviation, normalised units", noise, 1},
      {"salt-pepper", "noise", "salt_pepper", "Salt & pepper", "share of the pixels", noise, 1},
      {"pgd",
       "attacks",
       "pgd_linf",
       "PGD, max-norm",
       "radius, 1/255",
       {0, 0.5 / 255, 1. / 255, 2. / 255, 3. / 255, 4. / 255, 6. / 255, 8. / 255},
       255},
      {"pgd-l2",
       "attacks",
       "pgd_l2",
       "PGD, Euclidean",
       "radius, unit range",
       {0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2},
       1}};
  return kinds;
}

std::vector<LevelKind> level_kinds_named(const std::vector<std::string>& names,
                                         const std::vector<double>& levels) {
  std::vector<LevelKind> result;
  for (const std::string& name : names) {
    const auto& all = level_kinds();
    const auto kind = std::find_if(all.begin(), all.end(), [&](const auto& k) { return k.name == name; });
    NM_CHECK_AS(ConfigError, kind != all.end(), "\"", name,
                "\" is no perturbation with levels; known are white, salt-pepper, pgd and pgd-l2");
    if (std::any_of(result.begin(), result.end(), [&](const auto& k) { return k.name == name; })) continue;
    result.push_back(*kind);
    if (!levels.empty()) {
      std::vector<double>& own = result.back().levels;
      own = levels;
      std::sort(own.begin(), own.end());
      own.erase(std::unique(own.begin(), own.end()), own.end());
    }
    const double largest = kind->type == "salt_pepper" ? 1 : HUGE_VAL;
    for (const double level : result.back().levels)
      NM_CHECK_AS(ConfigError, level >= 0 && std::isfinite(level) && level <= largest, "level ", level,
                  " of ", name, " is out of range");
  }
  NM_CHECK_AS(ConfigError, !result.empty(),
              "no perturbation named; known are white, salt-pepper, pgd, pgd-l2");
  return result;
}

void request_levels(const std::vector<LevelKind>& kinds, EvaluateOptions& options) {
  options.white_noise = perturbing(kinds, "white_noise");
  options.salt_pepper = perturbing(kinds, "salt_pepper");
  options.attacks.fgsm.clear();
  options.attacks.pgd_linf = perturbing(kinds, "pgd_linf");
  options.attacks.pgd_l2 = perturbing(kinds, "pgd_l2");
  options.suites = {Suite::clean};
  if (!options.white_noise.empty() || !options.salt_pepper.empty()) options.suites.push_back(Suite::noise);
  if (!options.attacks.pgd_linf.empty() || !options.attacks.pgd_l2.empty())
    options.suites.push_back(Suite::attacks);
}

std::vector<LevelCurves> level_curves(std::vector<EvaluationResults> runs,
                                      const std::vector<std::string>& groups,
                                      const std::vector<LevelKind>& kinds) {
  NM_CHECK(!runs.empty() && groups.size() == runs.size(), "[levels] expects a group for every run");
  check_comparable(runs);
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (!groups[i].empty()) runs[i].title = groups[i];
  std::vector<LevelCurves> result;
  for (const LevelKind& kind : kinds) {
    LevelCurves curves{kind, examples_of(runs.front(), kind), {}};
    for (const RunGroup& group : group_by_title(runs)) {
      LevelCurve curve{group.title, group.names, {}};
      for (const double level : kind.levels) {
        std::vector<double> accuracies;
        for (const std::size_t run : group.runs)
          accuracies.push_back(accuracy_at(runs[run], kind, level, curves.examples));
        curve.points.push_back({level, spread_of(accuracies)});
      }
      curves.groups.push_back(std::move(curve));
    }
    result.push_back(std::move(curves));
  }
  return result;
}

std::string levels_json(const std::vector<LevelCurves>& curves, const EvaluateOptions& options) {
  nlohmann::ordered_json json{{"analysis", "levels"},
                              {"deviation", "sample"},
                              {"seed", options.seed},
                              {"settings", settings_of(options)}};
  for (const LevelCurves& kind : curves) {
    nlohmann::ordered_json entry{{"noise", kind.kind.name}, {"examples", kind.examples}};
    for (const LevelCurve& curve : kind.groups) {
      nlohmann::ordered_json group{{"title", curve.title}, {"runs", curve.runs}};
      for (const LevelPoint& point : curve.points)
        group["levels"].push_back({{"level", point.level},
                                   {"accuracy", point.accuracy.mean},
                                   {"deviation", point.accuracy.deviation},
                                   {"low", point.accuracy.low},
                                   {"high", point.accuracy.high}});
      entry["groups"].push_back(group);
    }
    json["perturbations"].push_back(entry);
  }
  return json.dump(1) + "\n";
}

std::string levels_csv(const std::vector<LevelCurves>& curves) {
  std::string out = "noise,group,runs,level,accuracy,deviation\n";
  for (const LevelCurves& kind : curves) {
    for (const LevelCurve& curve : kind.groups) {
      for (const LevelPoint& point : curve.points) {
        char line[120];
        std::snprintf(line, sizeof line, ",%d,%.9g,%.9g,%.9g\n", point.accuracy.runs, point.level,
                      point.accuracy.mean, point.accuracy.deviation);
        out += kind.kind.name + "," + csv_field(curve.title) + line;
      }
    }
  }
  return out;
}

std::string levels_svg(const std::vector<LevelCurves>& curves) {
  std::vector<Chart> charts;
  for (const LevelCurves& kind : curves) {
    Chart chart{.title = kind.kind.title + ": test accuracy, %", .x_name = kind.kind.axis, .lines = {}};
    for (std::size_t i = 0; i < kind.groups.size(); ++i) {
      ChartLine line{.name = kind.groups[i].title, .points = {}, .color = i};
      for (const auto& [level, accuracy] : kind.groups[i].points) {
        const double x = level * kind.kind.shown_scale, mean = 100 * accuracy.mean;
        line.points.push_back({x, mean});
        if (accuracy.runs > 1)
          line.band.push_back({x, mean - 100 * accuracy.deviation, mean + 100 * accuracy.deviation});
      }
      chart.lines.push_back(std::move(line));
    }
    charts.push_back(std::move(chart));
  }
  return draw_charts(charts, 2);
}

}  // namespace noisymix
