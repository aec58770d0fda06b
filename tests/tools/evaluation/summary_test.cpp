// The rows of a summary: what is there, what is missing, and their values by hand.
#include "tools/evaluation/summary.h"

#include <doctest/doctest.h>

#include <cmath>
#include <set>

#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/flips.h"

using namespace noisymix;

namespace {

Cell cell_of(const std::string& suite, const std::string& type, int severity, double level, double accuracy) {
  Cell cell;
  cell.suite = suite;
  cell.type = type;
  cell.severity = severity;
  cell.level = level;
  cell.count = 100;
  cell.accuracy = accuracy;
  cell.ece = 0.1;
  cell.adaptive_rms = NAN;
  cell.bins.resize(16);
  cell.bins[15] = {100, 95, 90.5, static_cast<std::int64_t>(std::lround(100 * accuracy))};
  return cell;
}

/// Accuracy 0.6 on noise, 0.8 on the rest of the benchmark.
EvaluationResults all_corruptions() {
  EvaluationResults results;
  for (const std::string& type : benchmark_corruption_names())
    for (const int severity : kAllSeverities)
      results.cells.push_back(
          cell_of("corruptions", type, severity, 0, type.find("_noise") != std::string::npos ? 0.6 : 0.8));
  return results;
}

const SummaryRow* row_of(const std::vector<SummaryRow>& rows, const std::string& key) {
  for (const SummaryRow& row : rows)
    if (row.key == key) return &row;
  return nullptr;
}

double value_of(const std::vector<SummaryRow>& rows, const std::string& key) {
  const SummaryRow* row = row_of(rows, key);
  REQUIRE_MESSAGE(row != nullptr, key);
  return row->value;
}

}  // namespace

TEST_CASE("summary: nothing measured, nothing shown") {
  CHECK(summarize(EvaluationResults{}).empty());
}

TEST_CASE("summary: clean, without values that do not exist") {
  EvaluationResults results;
  results.cells = {cell_of("clean", "clean", 0, 0, 0.9)};
  const auto rows = summarize(results);
  CHECK(value_of(rows, "clean_accuracy") == 0.9);
  CHECK(row_of(rows, "clean_accuracy")->percent);
  CHECK(row_of(rows, "clean_accuracy")->higher_is_better);
  CHECK(value_of(rows, "clean_ece") == 0.1);
  CHECK_FALSE(row_of(rows, "clean_ece")->higher_is_better);
  CHECK(row_of(rows, "clean_rms") == nullptr);
  CHECK(row_of(rows, "corruption_accuracy") == nullptr);
}

TEST_CASE("summary: the benchmark of corruptions") {
  EvaluationResults results = all_corruptions();
  auto rows = summarize(results);
  CHECK(value_of(rows, "corruption_accuracy") == doctest::Approx(0.6 * 0.2 + 0.8 * 0.8));
  CHECK(value_of(rows, "corruption_error") == doctest::Approx(1 - 0.76));
  CHECK(value_of(rows, "no_noise_accuracy") == doctest::Approx(0.8));
  CHECK(value_of(rows, "noise_accuracy") == doctest::Approx(0.6));
  CHECK(value_of(rows, "digital_accuracy") == doctest::Approx(0.8));
  CHECK(row_of(rows, "corruption_accuracy")->label == "corruptions");
  CHECK(row_of(rows, "mca")->label == "mCA, 18 types over 70 of 90 cells");
  CHECK(value_of(rows, "corruption_ece") == doctest::Approx(0.1));
  CHECK(value_of(rows, "corruption_pooled_ece") == doctest::Approx(0.95 - 0.76));
  CHECK(value_of(rows, "corruption_pooled_oe") == doctest::Approx(0.95 * (0.95 - 0.76)));
  CHECK(value_of(rows, "corruption_pooled_sh") == doctest::Approx(1 / std::sqrt(0.905 - 0.95 * 0.95)));
  CHECK_FALSE(row_of(rows, "corruption_pooled_sh")->percent);
  CHECK(row_of(rows, "mce") == nullptr);
  results.parameter_set = "imagenet-c";
  rows = summarize(results);
  CHECK(value_of(rows, "mce") == doctest::Approx(mean_corruption_error(results).value()));
  CHECK(row_of(rows, "mca")->label == "mCA, 14 types");
}

TEST_CASE("summary: labels say over how many cells") {
  EvaluationResults results = all_corruptions();
  results.cells.resize(30);
  const auto rows = summarize(results);
  CHECK(row_of(rows, "corruption_accuracy")->label == "corruptions over 30 of 75 cells");
  CHECK(row_of(rows, "noise_accuracy")->label == "corruptions: noise");
  CHECK(row_of(rows, "weather_accuracy") == nullptr);
  CHECK(row_of(rows, "corruption_pooled_ece")->label ==
        "corruptions: pooled ECE, 16 bins over 30 of 75 cells");
}

TEST_CASE("summary: noise levels, attacks and flips") {
  EvaluationResults results;
  results.cells = {
      cell_of("noise", "white_noise", 0, 0, 0.99),   cell_of("noise", "white_noise", 0, 0.1, 0.8),
      cell_of("noise", "white_noise", 0, 0.2, 0.6),  cell_of("noise", "salt_pepper", 0, 0.02, 0.7),
      cell_of("attacks", "fgsm", 0, 8.0 / 255, 0.3), cell_of("attacks", "pgd_l2", 0, 0.5, 0.2)};
  for (const std::string& type : benchmark_perturbations()) {
    SequenceScores scores;
    scores.type = type;
    scores.flip_probability = type == "tilt" ? 0.3 : 0.1;
    results.sequences.push_back(scores);
  }
  const auto rows = summarize(results);
  CHECK(value_of(rows, "white_noise_accuracy") == doctest::Approx(0.7));
  CHECK(row_of(rows, "white_noise_accuracy")->label == "white noise, mean over 0.1, 0.2");
  CHECK(value_of(rows, "salt_pepper_accuracy") == doctest::Approx(0.7));
  CHECK(row_of(rows, "fgsm_0.03137_accuracy")->label == "attack fgsm, radius 8/255");
  CHECK(row_of(rows, "pgd_l2_0.5_accuracy")->label == "attack pgd_l2, radius 0.5");
  CHECK(value_of(rows, "mfp") == doctest::Approx(0.12));
  CHECK(value_of(rows, "noise_flips") == doctest::Approx(0.1));
  CHECK(value_of(rows, "digital_flips") == doctest::Approx(0.15));
  CHECK_FALSE(row_of(rows, "mfp")->higher_is_better);
  std::set<std::string> keys;
  for (const SummaryRow& row : rows) CHECK(keys.insert(row.key).second);

  results.sequences.resize(3);
  CHECK(row_of(summarize(results), "mfp")->label == "mFP, mean flip probability over 3 of 10 types");
}
