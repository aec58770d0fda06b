#include "tools/analysis/error_curves.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/scratch_folder.h"

#include <doctest/doctest.h>

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// A run folder with nothing but a log; test accuracy every second epoch.
std::string run_with(const ScratchFolder& folder, const std::string& name, const std::vector<double>& train,
                     const std::vector<double>& test) {
  std::filesystem::create_directories(folder / name);
  std::string lines = "{\"kind\": \"start\"}\n";
  for (std::size_t i = 0; i < train.size(); ++i) {
    nlohmann::json line{{"kind", "epoch"}, {"epoch", i + 1}, {"train_loss", 1}, {"train_accuracy", train[i]}};
    if (i % 2 == 1) line["test_accuracy"] = test[i / 2];
    lines += line.dump() + "\n";
  }
  folder.write(name + "/metrics.jsonl", lines);
  return (folder / name).string();
}

}  // namespace

TEST_CASE("error curves: means and sample deviations over the epochs that all runs have") {
  const ScratchFolder folder;
  const std::string a = run_with(folder, "a", {0.2, 0.4, 0.6}, {0.5}),
                    b = run_with(folder, "b", {0.4, 0.5}, {0.7});
  const std::string c = run_with(folder, "c", {0.1}, {});
  const auto curves = error_curves({{a, "two"}, {c, ""}, {b, "two"}});
  REQUIRE(curves.size() == 2);
  CHECK(curves[0].title == "two");
  CHECK(curves[1].title == "c");
  REQUIRE(curves[0].points.size() == 2);
  CHECK(curves[0].runs == std::vector<std::string>{a, b});
  const ErrorPoint &first = curves[0].points[0], &second = curves[0].points[1];
  CHECK(first.train.mean == doctest::Approx(0.7));
  CHECK(first.train.deviation == doctest::Approx(0.2 / std::sqrt(2.0)));  // of 0.8 and 0.6
  CHECK_FALSE(first.test.has_value());
  REQUIRE(second.test.has_value());
  CHECK(second.test->mean == doctest::Approx(0.4));
  CHECK(second.test->deviation == doctest::Approx(0.2 / std::sqrt(2.0)));
  CHECK(curves[1].points[0].train.deviation == 0);

  const auto json = nlohmann::json::parse(error_curves_json(curves));
  CHECK(json["groups"][0]["epochs"][1]["test_error"]["mean"].get<double>() == doctest::Approx(0.4));
  const std::string csv = error_curves_csv(curves);
  CHECK(csv.find("two,2,1,0.7,0.141421356,,\n") != std::string::npos);
  CHECK(std::count(csv.begin(), csv.end(), '\n') == 4);
  const std::string svg = error_curves_svg(curves);
  CHECK(svg.find("<polygon") != std::string::npos);  // the band
}

TEST_CASE("error curves: what cannot be averaged") {
  const ScratchFolder folder;
  const std::string a = run_with(folder, "a", {0.2}, {});
  CHECK_THROWS_AS(error_curves({{a, ""}, {a, "x"}}), ConfigError);
  CHECK_THROWS_AS(error_curves({{(folder / "none").string(), ""}}), DataError);
}
