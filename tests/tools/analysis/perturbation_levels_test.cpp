#include "tools/analysis/perturbation_levels.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "engine/error.h"

using namespace noisymix;

namespace {

Cell cell_of(const char* suite, const char* type, double level, std::int64_t count, double accuracy) {
  Cell cell;
  cell.suite = suite;
  cell.type = type;
  cell.level = level;
  cell.count = count;
  cell.accuracy = accuracy;
  return cell;
}

/// Ten examples, of which the first `clean` are right; accuracies under white noise and under PGD on five.
EvaluationResults run_with(const char* name, int clean, double white, double pgd) {
  EvaluationResults run;
  run.run = run.weights_hash = name;
  run.title = "NFM";
  run.cells.push_back(cell_of("clean", "clean", 0, 10, clean / 10.0));
  for (int i = 0; i < 10; ++i) run.cells[0].correct.push_back(i < clean);
  run.cells.push_back(cell_of("noise", "white_noise", 0.1, 10, white));
  run.cells.push_back(cell_of("attacks", "pgd_linf", 0.5, 5, pgd));
  return run;
}

}  // namespace

TEST_CASE("perturbation levels: kinds and what they ask of an evaluation") {
  const auto kinds = level_kinds_named({"white", "pgd", "white"}, {0.5, 0, 0.5});
  REQUIRE(kinds.size() == 2);
  CHECK(kinds[1].levels == std::vector<double>{0, 0.5});
  EvaluateOptions options;
  request_levels(kinds, options);
  CHECK(options.white_noise == std::vector<double>{0.5});
  CHECK(options.salt_pepper.empty());
  CHECK(options.attacks.pgd_linf == std::vector<double>{0.5});
  CHECK(options.attacks.fgsm.empty());
  CHECK(options.suites == std::vector<Suite>{Suite::clean, Suite::noise, Suite::attacks});
  CHECK(level_kinds_named({"salt-pepper"}, {})[0].levels.size() == 13);
  CHECK_THROWS_AS(level_kinds_named({"fog"}, {}), ConfigError);
  CHECK_THROWS_AS(level_kinds_named({}, {}), ConfigError);
  CHECK_THROWS_AS(level_kinds_named({"salt-pepper"}, {2}), ConfigError);
  CHECK_THROWS_AS(level_kinds_named({"white"}, {-1}), ConfigError);
}

TEST_CASE("perturbation levels: means over seeds, level 0 on the examples that were perturbed") {
  std::vector<LevelKind> kinds = level_kinds_named({"white"}, {0, 0.1});
  kinds.push_back(level_kinds_named({"pgd"}, {0, 0.5}).front());
  const std::vector<EvaluationResults> runs = {run_with("a", 8, 0.6, 0.2), run_with("b", 4, 0.4, 0.4),
                                               run_with("c", 10, 0.9, 0.0)};
  const auto curves = level_curves(runs, {"", "", "other"}, kinds);
  REQUIRE(curves.size() == 2);
  REQUIRE(curves[0].groups.size() == 2);
  const LevelCurve& nfm = curves[0].groups[0];
  CHECK(nfm.title == "NFM");
  CHECK(nfm.runs == std::vector<std::string>{"a", "b"});
  CHECK(nfm.points[0].accuracy.mean == doctest::Approx(0.6));
  CHECK(nfm.points[1].accuracy.mean == doctest::Approx(0.5));
  CHECK(nfm.points[1].accuracy.deviation == doctest::Approx(0.2 / std::sqrt(2.0)));
  CHECK(curves[0].groups[1].title == "other");
  // Of the first five examples a has 5, b 4 right.
  CHECK(curves[1].examples == 5);
  CHECK(curves[1].groups[0].points[0].accuracy.mean == doctest::Approx(0.9));
  CHECK(curves[1].groups[0].points[1].accuracy.mean == doctest::Approx(0.3));

  const auto json = nlohmann::json::parse(levels_json(curves, {}));
  CHECK(json["perturbations"][1]["groups"][1]["levels"][1]["accuracy"] == 0.0);
  CHECK(json["deviation"] == "sample");
  const std::string csv = levels_csv(curves);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 9);
  CHECK(csv.find("white,NFM,2,0.1,0.5,0.141421356\n") != std::string::npos);
}

TEST_CASE("perturbation levels: a missing result, and runs that do not belong together") {
  const auto kinds = level_kinds_named({"white"}, {0.3});
  CHECK_THROWS_AS(level_curves({run_with("a", 8, 0.6, 0.2)}, {""}, kinds), DataError);
  auto other = run_with("b", 8, 0.6, 0.2);
  other.data_hash = "x";
  CHECK_THROWS_AS(level_curves({run_with("a", 8, 0.6, 0.2), other}, {"", ""}, kinds), ConfigError);
}
