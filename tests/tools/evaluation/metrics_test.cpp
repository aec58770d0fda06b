// Accuracy, cross-entropy and calibration against reference values.
#include "tools/evaluation/metrics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/io/safetensors.h"
#include "tests/golden.h"

using namespace noisymix;

TEST_CASE("metrics: golden accuracy, loss and calibration error") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  for (const auto& entry : manifest["calibration"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    ScoreKeeper keeper;
    keeper.add(file.at(name + "/logits"), file.at(name + "/labels"));
    const Scores scores = keeper.scores();
    CHECK(scores.count == entry["n"].get<std::int64_t>());
    CHECK(scores.accuracy == doctest::Approx(entry["accuracy"].get<double>()).epsilon(1e-12));
    CHECK(scores.loss == doctest::Approx(entry["nll"].get<double>()).epsilon(1e-9));
    CHECK(scores.calibration_error == doctest::Approx(entry["ece_15"]["ece"].get<double>()).epsilon(1e-9));
    CHECK(keeper.scores(10).calibration_error ==
          doctest::Approx(entry["ece_10"]["ece"].get<double>()).epsilon(1e-9));

    const auto bins = calibration_bins(keeper.confidence(), keeper.correct(), 15);
    const auto& expected = entry["ece_15"]["bins_count_conf_acc"];
    for (std::size_t i = 0; i < bins.size(); ++i) {
      CHECK(bins[i].count == expected[i][0].get<std::int64_t>());
      CHECK(bins[i].confidence == doctest::Approx(expected[i][1].get<double>()).epsilon(1e-9));
      CHECK(bins[i].accuracy == doctest::Approx(expected[i][2].get<double>()).epsilon(1e-9));
    }
  }
}

TEST_CASE("metrics: batches add up to the whole") {
  ScoreKeeper whole, parts;
  const Tensor logits = Tensor::from<float>({1, 0, 3, -1, 2, 2}, {3, 2});
  const Tensor labels = Tensor::from<std::int64_t>({0, 1, 0}, {3});
  whole.add(logits, labels);
  parts.add(logits.rows(0, 1), labels.rows(0, 1));
  parts.add(logits.rows(1, 3), labels.rows(1, 3));
  CHECK(whole.scores().loss == parts.scores().loss);
  CHECK(whole.scores().accuracy == doctest::Approx(2.0 / 3));  // the tie goes to class 0
  CHECK(whole.scores().calibration_error == parts.scores().calibration_error);
}

TEST_CASE("metrics: edges of the bins belong to the bin below") {
  const auto bins = calibration_bins({0.0, 0.5, 0.500001, 1.0}, {0, 1, 1, 1}, 2);
  CHECK(bins[0].count == 2);
  CHECK(bins[1].count == 2);
  CHECK(expected_calibration_error(calibration_bins({}, {}, 15)) == 0);
  CHECK(ScoreKeeper().scores().count == 0);
  CHECK(calibration_bins({std::nan(""), 7}, {0, 1}, 3)[0].count ==
        1);  // a diverged model does no further harm
}

TEST_CASE("metrics: huge logits stay finite, wrong shapes are refused") {
  ScoreKeeper keeper;
  keeper.add(Tensor::from<float>({1e30f, -1e30f}, {1, 2}), Tensor::from<std::int64_t>({0}, {1}));
  CHECK(keeper.scores().loss == 0);
  const Tensor one = Tensor::from<float>({0, 0}, {1, 2});
  CHECK_THROWS_AS(keeper.add(one, Tensor::from<std::int64_t>({2}, {1})), ShapeError);
  CHECK_THROWS_AS(keeper.add(one, Tensor::from<std::int64_t>({0, 1}, {2})), ShapeError);
}
