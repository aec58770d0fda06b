// Accuracy, cross-entropy and what fills a cell, against reference values.
#include "tools/evaluation/metrics.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/io/safetensors.h"
#include "tests/golden.h"

using namespace noisymix;

TEST_CASE("metrics: golden accuracy, loss and calibration error") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  REQUIRE(manifest["calibration"].size() == 6);
  for (const auto& entry : manifest["calibration"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    const auto near = [&](const nlohmann::json& value) {
      return doctest::Approx(value.get<double>()).epsilon(1e-9).scale(1e-3);
    };
    ScoreKeeper keeper;
    keeper.add(file.at(name + "/logits"), file.at(name + "/labels"));
    const Scores scores = keeper.scores();
    CHECK(scores.count == entry["n"].get<std::int64_t>());
    CHECK(scores.accuracy == near(entry["accuracy"]));
    CHECK(scores.loss == near(entry["nll"]));
    CHECK(scores.brier == near(entry["brier"]));
    CHECK(scores.mean_confidence == near(entry["mean_confidence"]));
    if (entry["top5_accuracy"].is_null()) {
      CHECK(scores.top5_accuracy == 1);
    } else {
      CHECK(scores.top5_accuracy == near(entry["top5_accuracy"]));
    }
    CHECK(scores.calibration_error == near(entry["ece_15"]["ece"]));
    CHECK(keeper.scores(10).calibration_error == near(entry["ece_10"]["ece"]));

    Cell cell;
    keeper.fill(cell);
    CHECK(cell.count == scores.count);
    CHECK(cell.accuracy == scores.accuracy);
    CHECK(cell.loss == scores.loss);
    CHECK(cell.ece == near(entry["ece_15"]["ece"]));
    CHECK(cell.aurra == near(entry["aurra"]));
    if (entry["adaptive_rms_100_all_bins"].is_null()) {
      CHECK(std::isnan(cell.adaptive_rms));
    } else {
      CHECK(cell.adaptive_rms == near(entry["adaptive_rms_100_all_bins"]));
    }
    REQUIRE(cell.bins.size() == 16);
    CHECK(calibration_errors(cell.bins).sh == near(entry["dign_16"]["sh"]));
    CHECK(cell.correct == keeper.correct());
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
  CHECK(whole.predictions() == std::vector<std::int32_t>{0, 0, 0});
}

TEST_CASE("metrics: confusion counts are [true, predicted] and add up") {
  ScoreKeeper keeper;
  keeper.add(Tensor::from<float>({1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0}, {4, 3}),
             Tensor::from<std::int64_t>({0, 2, 2, 1}, {4}));
  std::vector<std::int64_t> counts;
  keeper.count_confusion(3, counts);
  CHECK(counts == std::vector<std::int64_t>{1, 0, 0, 1, 0, 0, 0, 1, 1});
  keeper.count_confusion(3, counts);
  CHECK(counts == std::vector<std::int64_t>{2, 0, 0, 2, 0, 0, 0, 2, 2});
  CHECK_THROWS_AS(keeper.count_confusion(4, counts), ShapeError);
  std::vector<std::int64_t> wrong(5);
  CHECK_THROWS_AS(keeper.count_confusion(3, wrong), ShapeError);
}

TEST_CASE("metrics: huge and broken logits") {
  ScoreKeeper keeper;
  keeper.add(Tensor::from<float>({1e30f, -1e30f}, {1, 2}), Tensor::from<std::int64_t>({0}, {1}));
  CHECK(keeper.scores().loss == 0);
  CHECK(keeper.scores().brier == 0);
  keeper.add(Tensor::from<float>({NAN, NAN}, {1, 2}), Tensor::from<std::int64_t>({1}, {1}));
  CHECK(std::isnan(keeper.scores().loss));
  CHECK(keeper.confidence()[1] == 0);
  CHECK(std::isfinite(keeper.scores().calibration_error));
}

TEST_CASE("metrics: wrong shapes are refused, no examples are no harm") {
  ScoreKeeper keeper;
  const Tensor one = Tensor::from<float>({0, 0}, {1, 2});
  CHECK_THROWS_AS(keeper.add(one, Tensor::from<std::int64_t>({2}, {1})), ShapeError);
  CHECK_THROWS_AS(keeper.add(one, Tensor::from<std::int64_t>({0, 1}, {2})), ShapeError);
  CHECK_THROWS_AS(keeper.add(Tensor::from<float>({0, 0, 0}, {1, 3}), Tensor::from<std::int64_t>({0}, {1})),
                  ShapeError);
  CHECK(ScoreKeeper().scores().count == 0);
}

TEST_CASE("metrics: a few of many classes") {
  const Tensor logits = Tensor::from<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  CHECK(select_classes(logits, {2, 0}).to_vector<float>() == std::vector<float>{3, 1, 6, 4});
  CHECK_THROWS_AS(select_classes(logits, {3}), ShapeError);
}
