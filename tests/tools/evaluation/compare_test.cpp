#include "tools/evaluation/compare.h"

#include <cmath>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/tools/report/sample_runs.h"

using namespace noisymix;
using testing::sample_results;

namespace {

const ComparedRow* find(const Comparison& comparison, const std::string& section, const std::string& name) {
  for (const ComparedRow& row : comparison.rows) {
    if (row.section == section && row.name == name) return &row;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("runs of one title are one group") {
  const std::vector<EvaluationResults> runs{sample_results("a", 1, 0.8), sample_results("b", 1, 0.9),
                                            sample_results("a", 2, 0.8), sample_results("", 5, 0.7)};
  const std::vector<RunGroup> groups = group_by_title(runs);
  REQUIRE(groups.size() == 3);
  CHECK(groups[0].title == "a");
  CHECK(groups[0].runs == std::vector<std::size_t>{0, 2});
  CHECK(groups[0].seeds == std::vector<std::uint64_t>{1, 2});
  CHECK(groups[1].title == "b");
  CHECK(groups[2].title == "5");  // the folder's name
}

TEST_CASE("mean and spread over seeds") {
  std::vector<EvaluationResults> runs{sample_results("a", 1, 0.8), sample_results("a", 2, 0.8),
                                      sample_results("b", 1, 0.9)};
  runs[0].cells[0].accuracy = 0.80;
  runs[1].cells[0].accuracy = 0.84;
  runs[2].cells[0].accuracy = 0.90;
  const Comparison comparison = compare_results(runs);
  const ComparedRow* clean = find(comparison, "Accuracy", "Clean");
  REQUIRE(clean);
  CHECK(clean->groups[0]->runs == 2);
  CHECK(clean->groups[0]->mean == doctest::Approx(0.82));
  CHECK(clean->groups[0]->deviation == doctest::Approx(0.04 / std::sqrt(2.0)));
  CHECK(clean->groups[0]->low == 0.80);
  CHECK(clean->groups[0]->high == 0.84);
  CHECK(clean->groups[1]->deviation == 0);
  CHECK_FALSE(clean->differences[0].has_value());
  CHECK(clean->differences[1]->value == doctest::Approx(0.08));
  CHECK(find(comparison, "Accuracy by corruption", "Fog"));
  CHECK(find(comparison, "Flip probability", "  Translate"));
  CHECK(find(comparison, "Accuracy under attack", "  FGSM 0.01"));
}

TEST_CASE("the interval of a paired difference against a known case") {
  // 60 of 1000 images became right, 20 wrong: mean 0.04, variance of one difference 0.08 - 0.04^2, standard
  // error 0.008854, 1.96 of them 0.01735. Unpaired intervals would be far wider.
  std::vector<EvaluationResults> runs{sample_results("a", 1, 0.8, 1000), sample_results("b", 1, 0.8, 1000)};
  for (EvaluationResults& run : runs) {
    run.cells.resize(1);
    run.sequences.clear();
  }
  auto& before = runs[0].cells[0].correct;
  for (std::size_t i = 0; i < 1000; ++i) before[i] = i % 2;
  auto& after = runs[1].cells[0].correct = before;
  for (std::size_t i = 0; i < 60; ++i) after[2 * i] = 1;
  for (std::size_t i = 0; i < 20; ++i) after[500 + 2 * i + 1] = 0;
  runs[0].cells[0].accuracy = 0.5;
  runs[1].cells[0].accuracy = 0.54;
  const Comparison comparison = compare_results(runs);
  const GroupDifference& difference = *find(comparison, "Accuracy", "Clean")->differences[1];
  CHECK(difference.value == doctest::Approx(0.04));
  REQUIRE(difference.interval);
  CHECK(difference.interval->low == doctest::Approx(0.04 - 0.01735).epsilon(0.05));
  CHECK(difference.interval->high == doctest::Approx(0.04 + 0.01735).epsilon(0.03));
}

TEST_CASE("only cells that all runs have are averaged, and the row says so") {
  std::vector<EvaluationResults> runs{sample_results("a", 1, 0.8), sample_results("b", 1, 0.9)};
  std::erase_if(runs[1].cells, [](const Cell& cell) { return cell.type == "fog" && cell.severity > 2; });
  const Comparison comparison = compare_results(runs);
  CHECK(find(comparison, "Accuracy", "Corruptions (72 of 75 cells)"));
  const ComparedRow* fog = find(comparison, "Accuracy by corruption", "Fog (2 of 5 cells)");
  REQUIRE(fog);
  double sum = 0;
  for (const int severity : {1, 2}) sum += runs[0].find("corruptions", "fog", severity)->accuracy;
  CHECK(fog->groups[0]->mean == doctest::Approx(sum / 2));
}

TEST_CASE("runs evaluated differently are refused in one line") {
  const EvaluationResults first = sample_results("a", 1, 0.8);
  const auto message = [&](const EvaluationResults& other) {
    try {
      compare_results({first, other});
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EvaluationResults other = sample_results("b", 1, 0.8);
  CHECK(message(other).empty());
  other.data_hash = "ff";
  CHECK(message(other).find("different images") != std::string::npos);
  CHECK(message(other).find('\n') == std::string::npos);
  other = sample_results("b", 1, 0.8);
  other.evaluation_seed = 3;
  CHECK(message(other).find("evaluation seeds 0 and 3") != std::string::npos);
  other = sample_results("b", 1, 0.8, 40);
  CHECK(message(other).find("50 and 40") != std::string::npos);
  other = sample_results("b", 1, 0.8);
  other.parameter_set = "imagenet-c";
  CHECK(message(other).find("imagenet-c") != std::string::npos);
  other = sample_results("b", 1, 0.8);
  other.weights_hash = first.weights_hash;
  CHECK(message(other).find("same weights") != std::string::npos);
  CHECK_THROWS_AS(compare_results({}), ConfigError);
}

TEST_CASE("the four ways to write a comparison") {
  const Comparison comparison = compare_results(
      {sample_results("a, \"x\"", 1, 0.8), sample_results("b|c", 1, 0.9), sample_results("b|c", 2, 0.9)});
  const std::string text = to_text(comparison);
  CHECK(text.find("b|c (seeds 1, 2)") != std::string::npos);
  CHECK(text.find("B - A") != std::string::npos);
  const auto json = nlohmann::json::parse(to_json(comparison));
  CHECK(json["groups"][1]["seeds"] == nlohmann::json({1, 2}));
  CHECK(json["rows"][0]["name"] == "Clean");
  CHECK(json["rows"][0]["groups"][1]["interval"].size() == 2);
  const std::string csv = to_csv(comparison);
  CHECK(csv.find("Accuracy,Clean,\"a, \"\"x\"\"\",1,") != std::string::npos);
  const std::string markdown = to_markdown(comparison);
  CHECK(markdown.find("| b\\|c |") != std::string::npos);
  // Every line of the table has the same columns: a name, two groups, one difference.
  for (std::size_t start = 0, end; start < markdown.size() && markdown[start] == '|'; start = end + 1) {
    end = markdown.find('\n', start);
    int bars = 0;
    for (std::size_t i = start; i < end; ++i)
      bars += markdown[i] == '|' && (i == 0 || markdown[i - 1] != '\\');
    CHECK(bars == 5);
  }
}
