// Calibration measures against reference values.
#include "tools/evaluation/calibration.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/golden.h"
#include "tools/evaluation/metrics.h"

using namespace noisymix;

namespace {

doctest::Approx near(const nlohmann::json& value) {
  return doctest::Approx(value.get<double>()).epsilon(1e-9).scale(1e-3);
}

std::vector<std::uint8_t> bytes(std::initializer_list<int> values) {
  return {values.begin(), values.end()};
}

}  // namespace

TEST_CASE("calibration: golden values of equal-width bins") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  REQUIRE(manifest["calibration"].size() == 6);
  for (const auto& entry : manifest["calibration"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    ScoreKeeper keeper;
    keeper.add(file.at(name + "/logits"), file.at(name + "/labels"));
    for (const auto& measured :
         {std::pair{"ece_15", kEceBins}, {"dign_16", kPooledBins}, {"ece_10", 10}}) {
      const char* key = measured.first;
      const int count = measured.second;
      CAPTURE(key);
      const auto& expected = entry[key];
      const auto bins = calibration_bins(keeper.confidence(), keeper.correct(), count);
      const CalibrationErrors errors = calibration_errors(bins);
      CHECK(errors.ece == near(expected["ece"]));
      CHECK(errors.rms == near(expected["rms"]));
      CHECK(errors.oe == near(expected["oe"]));
      CHECK(errors.sh == near(expected["sh"]));
      CHECK(errors.max_ce == near(expected["max_ce"]));
      const auto& rows = expected["bins_count_conf_acc"];
      REQUIRE(bins.size() == rows.size());
      for (std::size_t i = 0; i < bins.size(); ++i) {
        CHECK(bins[i].count == rows[i][0].get<std::int64_t>());
        CHECK(mean_confidence(bins[i]) == near(rows[i][1]));
        CHECK(mean_accuracy(bins[i]) == near(rows[i][2]));
      }
    }
  }
}

TEST_CASE("calibration: golden values of equal-count bins and AURRA") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  for (const auto& entry : manifest["calibration"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    ScoreKeeper keeper;
    keeper.add(file.at(name + "/logits"), file.at(name + "/labels"));
    const auto& c = keeper.confidence();
    const auto& y = keeper.correct();
    CHECK(aurra(c, y) == near(entry["aurra"]));
    CHECK(adaptive_rms(c, y, {.size = 20}) == near(entry["adaptive_rms_20_all_bins"]));
    if (entry["adaptive_rms_100_all_bins"].is_null()) {
      CHECK(std::isnan(adaptive_rms(c, y)));
      CHECK(std::isnan(adaptive_mad(c, y)));
      continue;
    }
    CHECK(adaptive_rms(c, y) == near(entry["adaptive_rms_100_all_bins"]));
    CHECK(adaptive_rms(c, y, {.include_last = false}) ==
          near(entry["adaptive_rms_100_published_last_bin_skipped"]));
    CHECK(adaptive_mad(c, y) == near(entry["adaptive_mad_100_all_bins"]));
  }
}

TEST_CASE("calibration: edges belong to the bin below, and are float32") {
  const std::vector<double> confidence = {0.0, 0.5, 0.500001, 1.0};
  const auto bins = calibration_bins(confidence, bytes({0, 1, 1, 1}), 2);
  CHECK(bins[0].count == 2);
  CHECK(bins[1].count == 2);
  // The edge 3 / 15 is a little above 0.2 in float32, so 0.2 + 1e-9 is still in the third bin.
  const std::vector<double> beside = {0.2 + 1e-9};
  CHECK(calibration_bins(beside, bytes({1}), 15)[2].count == 1);
  CHECK(calibration_bins(std::vector<double>{1.0}, bytes({1}), 15)[14].count == 1);
}

TEST_CASE("calibration: pooled bins are those of all examples together") {
  const std::vector<double> confidence = {0.2, 0.9, 0.95, 0.4, 0.41, 1.0};
  const auto correct = bytes({0, 1, 1, 0, 1, 1});
  auto total = calibration_bins(std::span(confidence).first(2), std::span(correct).first(2), 16);
  std::vector<BinSums> pooled;
  add_bins(pooled, total);
  add_bins(pooled, calibration_bins(std::span(confidence).subspan(2), std::span(correct).subspan(2), 16));
  const auto whole = calibration_bins(confidence, correct, 16);
  CHECK(calibration_errors(pooled).ece == doctest::Approx(calibration_errors(whole).ece).epsilon(1e-14));
  CHECK(calibration_errors(pooled).sh == doctest::Approx(calibration_errors(whole).sh).epsilon(1e-12));
  CHECK_THROWS_AS(add_bins(pooled, calibration_bins(confidence, correct, 15)), ShapeError);
}

TEST_CASE("calibration: nothing, one example and a diverged model") {
  const std::vector<double> none;
  CHECK(calibration_errors(calibration_bins(none, {}, 15)).ece == 0);
  CHECK(aurra(none, {}) == 0);
  CHECK(std::isnan(adaptive_rms(none, {})));
  const std::vector<double> one = {0.75};
  const CalibrationErrors errors = calibration_errors(calibration_bins(one, bytes({1}), 16));
  CHECK(errors.ece == 0.25);
  CHECK(std::isinf(errors.sh));
  const std::vector<double> broken = {std::nan(""), 7};
  CHECK(calibration_bins(broken, bytes({0, 1}), 3)[0].count == 1);
  CHECK(std::isfinite(calibration_errors(calibration_bins(broken, bytes({0, 1}), 3)).ece));
  CHECK(std::isfinite(aurra(broken, bytes({0, 1}))));
  CHECK_THROWS_AS(calibration_bins(one, {}, 15), ShapeError);
  CHECK_THROWS_AS(calibration_bins(one, bytes({1}), 0), ShapeError);
  CHECK_THROWS_AS(adaptive_rms(one, bytes({1}), {.size = 0}), ShapeError);
}

TEST_CASE("calibration: equal confidences keep their order") {
  const std::vector<double> equal(4, 0.5);
  CHECK(aurra(equal, bytes({1, 1, 0, 0})) == doctest::Approx((1 + 1 + 2.0 / 3 + 0.5) / 4));
  CHECK(adaptive_rms(equal, bytes({1, 1, 0, 0}), {.size = 2}) == doctest::Approx(0.5));
  CHECK(adaptive_rms(equal, bytes({1, 0, 1, 0}), {.size = 2}) == doctest::Approx(0));
}
