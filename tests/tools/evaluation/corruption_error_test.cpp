// Means over corruptions and mCE: golden values, the papers' lists, missing cells.
#include "tools/evaluation/corruption_error.h"

#include <doctest/doctest.h>

#include <set>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/golden.h"

using namespace noisymix;

namespace {

doctest::Approx near(const nlohmann::json& value) {
  return doctest::Approx(value.get<double>()).epsilon(1e-9).scale(1e-3);
}

Cell cell_of(const std::string& type, int severity, double accuracy) {
  Cell cell;
  cell.suite = "corruptions";
  cell.type = type;
  cell.severity = severity;
  cell.accuracy = accuracy;
  cell.ece = accuracy / 4;
  return cell;
}

}  // namespace

TEST_CASE("corruption error: golden mCE") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  REQUIRE(manifest["mce"].size() == 3);
  for (const auto& entry : manifest["mce"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    const auto errors = file.at(name + "/err").to_vector<double>();
    const auto base = file.at(name + "/err_base").to_vector<double>();
    const double clean = entry["clean_error"].get<double>(),
                 base_clean = entry["clean_error_base"].get<double>();
    const std::size_t types = errors.size() / 5;
    REQUIRE(types == entry["ce_per_corruption"].size());
    double sum = 0, relative_sum = 0;
    EvaluationResults results;
    for (std::size_t i = 0; i < types; ++i) {
      const auto mine = std::span(errors).subspan(5 * i, 5), others = std::span(base).subspan(5 * i, 5);
      const double ce = corruption_error(mine, others);
      const double relative = relative_corruption_error(mine, clean, others, base_clean);
      CHECK(ce == near(entry["ce_per_corruption"][i]));
      CHECK(relative == near(entry["relative_ce_per_corruption"][i]));
      sum += ce;
      relative_sum += relative;
      for (std::size_t s = 0; s < 5; ++s)
        results.cells.push_back(cell_of("type" + std::to_string(i), static_cast<int>(s) + 1, 1 - mine[s]));
    }
    CHECK(sum / static_cast<double>(types) == near(entry["mce"]));
    CHECK(relative_sum / static_cast<double>(types) == near(entry["relative_mce"]));
    TypeNames names;
    for (std::size_t i = 0; i < types; ++i) names.push_back("type" + std::to_string(i));
    const CellMean mean = mean_corruption_accuracy(results, names);
    CHECK(mean.complete());
    CHECK(1 - mean.value == near(entry["mean_error_unnormalised"]));
  }
}

TEST_CASE("corruption error: mCE against AlexNet needs every cell") {
  const auto baseline = alexnet_corruption_errors();
  REQUIRE(baseline.size() == benchmark_corruption_names().size());
  EvaluationResults results;
  for (std::size_t i = 0; i < baseline.size(); ++i)
    for (const int severity : kAllSeverities)
      results.cells.push_back(cell_of(benchmark_corruption_names()[i], severity, 1 - 0.5 * baseline[i]));
  CHECK(mean_corruption_error(results).value() == doctest::Approx(0.5));
  results.cells.pop_back();
  CHECK_FALSE(mean_corruption_error(results).has_value());
}

TEST_CASE("corruption error: the lists have the sizes of the papers") {
  CHECK(benchmark_corruption_names().size() == 15);
  CHECK(benchmark_corruption_names()[3] == "defocus_blur");
  CHECK(benchmark_corruption_names()[14] == "jpeg_compression");
  CHECK(no_noise_corruption_names().size() == 12);
  CHECK(extra_corruption_names().size() == 4);
  CHECK(mca_names("cifar-c").size() == 18);
  CHECK(mca_names("tiny-imagenet-c").size() == 14);
  CHECK(mca_noise_names("cifar-c").size() == 3);
  CHECK(mca_noise_names("tiny-imagenet-c").size() == 2);
  CHECK(nfm_corruption_names().size() == 6);
  CHECK(transfer_corruption_names().size() == 16);
  TypeNames all = benchmark_corruption_names();
  all.insert(all.end(), extra_corruption_names().begin(), extra_corruption_names().end());
  const std::set<std::string> known(all.begin(), all.end());
  CHECK(known.size() == 19);
  for (const auto* names : {&mca_names("cifar-c"), &mca_names("tiny-imagenet-c"), &mca_noise_names("cifar-c"),
                            &mca_noise_names("tiny-imagenet-c"), &nfm_corruption_names(),
                            &transfer_corruption_names(), &no_noise_corruption_names()}) {
    CHECK(std::set<std::string>(names->begin(), names->end()).size() == names->size());
    for (const std::string& name : *names) CHECK(known.contains(name));
  }
}

TEST_CASE("corruption error: means over some types, some severities, and what is there") {
  EvaluationResults results;
  results.cells = {cell_of("fog", 1, 0.8), cell_of("fog", 2, 0.6), cell_of("snow", 1, 0.4)};
  results.cells.push_back(cell_of("fog", 0, 0));
  results.cells.back().suite = "noise";
  const TypeNames both = {"fog", "snow"};
  const CellMean all = mean_corruption_accuracy(results, both);
  CHECK(all.value == doctest::Approx(0.6));
  CHECK(all.present == 3);
  CHECK(all.wanted == 10);
  CHECK_FALSE(all.complete());
  const int first[] = {1};
  CHECK(mean_corruption_accuracy(results, both, first).value == doctest::Approx(0.6));
  CHECK(mean_corruption_accuracy(results, both, first).complete());
  CHECK(mean_corruption_ece(results, both, first).value == doctest::Approx(0.15));
  CHECK(mean_corruption_accuracy(results, TypeNames{"frost"}).present == 0);
}

TEST_CASE("corruption error: bad baselines") {
  const double two[] = {0.1, 0.2}, one[] = {0.1}, zero[] = {0.0, 0.0};
  CHECK_THROWS_AS(corruption_error(two, one), ShapeError);
  CHECK_THROWS_AS(corruption_error(two, zero), ShapeError);
  CHECK_THROWS_AS(relative_corruption_error(two, 0, two, 0.5), ShapeError);
}
