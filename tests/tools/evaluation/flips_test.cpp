// Flips and distances between rankings against reference values, frame by frame.
#include "tools/evaluation/flips.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "engine/error.h"
#include "engine/io/safetensors.h"
#include "tests/golden.h"

using namespace noisymix;

namespace {

doctest::Approx near(const nlohmann::json& value) {
  return doctest::Approx(value.get<double>()).epsilon(1e-9).scale(1e-3);
}

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// Frame t of logits [sequences, frames, classes].
Tensor frame_of(const Tensor& logits, std::int64_t t) {
  const std::int64_t n = logits.dim(0), frames = logits.dim(1), k = logits.dim(2);
  Tensor frame = Tensor::empty({n, k}, Dtype::f32);
  for (std::int64_t i = 0; i < n; ++i)
    std::copy_n(logits.data<float>() + (i * frames + t) * k, k, frame.mutable_data<float>() + i * k);
  return frame;
}

/// One sequence whose frames predict the given classes of three.
FlipKeeper keeper_of(const std::vector<int>& predictions, bool noise, int difficulty) {
  FlipKeeper keeper(noise, difficulty);
  for (const int p : predictions) {
    Tensor logits = Tensor::zeros({1, 3}, Dtype::f32);
    logits.mutable_data<float>()[p] = 1;
    keeper.add(logits);
  }
  return keeper;
}

}  // namespace

TEST_CASE("flips: golden sequences") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  REQUIRE(manifest["sequences"].size() == 3);
  for (const auto& entry : manifest["sequences"]) {
    const auto name = entry["name"].get<std::string>();
    CAPTURE(name);
    const Tensor& logits = file.at(name + "/logits");
    FlipKeeper consecutive(false), first(true);
    for (std::int64_t t = 0; t < logits.dim(1); ++t) {
      consecutive.add(frame_of(logits, t));
      first.add(frame_of(logits, t));
    }
    CHECK(consecutive.frames() == entry["frames"].get<int>());
    CHECK(consecutive.flip_fractions().size() == entry["sequences"].get<std::size_t>());
    CHECK(mean(consecutive.flip_fractions()) == near(entry["flip_prob_consecutive"]));
    CHECK(mean(first.flip_fractions()) == near(entry["flip_prob_noise_vs_first"]));
    CHECK(mean(consecutive.top5_distances()) == near(entry["top5_distance_consecutive"]));
    CHECK(mean(first.top5_distances()) == near(entry["top5_distance_noise_vs_first"]));
    CHECK(mean(consecutive.zipf_distances()) == near(entry["zipf_distance_consecutive"]));
    CHECK(mean(first.zipf_distances()) == near(entry["zipf_distance_noise_vs_first"]));
  }
}

TEST_CASE("flips: golden mFP and mFR") {
  const auto manifest = testing::read_json(testing::fixture_path("metrics/manifest.json"));
  const Safetensors file = read_safetensors(testing::fixture_path("metrics/metrics.safetensors"));
  for (const auto& entry : manifest["mce"]) {
    const auto name = entry["name"].get<std::string>();
    const auto flips = file.at(name + "/flip").to_vector<double>();
    const auto base = file.at(name + "/flip_base").to_vector<double>();
    CHECK(mean_flip_probability(flips) == near(entry["mfp"]));
    CHECK(mean_flip_rate(flips, base) == near(entry["mfr"]));
  }
}

TEST_CASE("flips: frames further apart, in interleaved sequences") {
  const std::vector<int> predictions = {0, 1, 0, 1, 1, 1};
  CHECK(keeper_of(predictions, false, 1).flip_fractions()[0] == doctest::Approx(3.0 / 5));
  CHECK(keeper_of(predictions, false, 2).flip_fractions()[0] == doctest::Approx(1.0 / 4));
  CHECK(keeper_of(predictions, false, 3).flip_fractions()[0] == doctest::Approx(2.0 / 3));
  // Harder noise is in the frames; what is compared stays the same.
  CHECK(keeper_of(predictions, true, 1).flip_fractions()[0] == doctest::Approx(4.0 / 5));
  CHECK(keeper_of(predictions, true, 3).flip_fractions()[0] == doctest::Approx(4.0 / 5));
}

TEST_CASE("flips: distances of a swap, by hand") {
  FlipKeeper keeper(false);
  keeper.add(Tensor::from<float>({3, 2, 1}, {1, 3}));
  keeper.add(Tensor::from<float>({2, 3, 1}, {1, 3}));
  CHECK(keeper.flip_fractions()[0] == 1);
  CHECK(keeper.top5_distances()[0] == 2);
  CHECK(keeper.zipf_distances()[0] == doctest::Approx(0.5 + 0.25));
}

TEST_CASE("flips: equal logits rank by number, NaN ranks last") {
  FlipKeeper keeper(false);
  keeper.add(Tensor::from<float>({1, 1, 1}, {1, 3}));
  keeper.add(Tensor::from<float>({3, 2, 1}, {1, 3}));
  CHECK(keeper.zipf_distances()[0] == 0);
  FlipKeeper broken(false);
  broken.add(Tensor::from<float>({NAN, 2, NAN}, {1, 3}));
  broken.add(Tensor::from<float>({2, 3, 1}, {1, 3}));
  CHECK(broken.flip_fractions()[0] == 0);
}

TEST_CASE("flips: bad use") {
  FlipKeeper keeper(false, 2);
  CHECK_THROWS_AS(keeper.add(Tensor::zeros({3}, Dtype::f32)), ShapeError);
  keeper.add(Tensor::zeros({2, 3}, Dtype::f32));
  CHECK_THROWS_AS(keeper.add(Tensor::zeros({3, 3}, Dtype::f32)), ShapeError);
  CHECK_THROWS_AS(keeper.flip_fractions(), ShapeError);
  CHECK_THROWS_AS(FlipKeeper(true, 0), ShapeError);
  const double one[] = {0.1}, none[] = {0.0};
  CHECK_THROWS_AS(mean_flip_rate(one, none), ShapeError);
  CHECK_THROWS_AS(mean_flip_rate(one, {}), ShapeError);
  CHECK_THROWS_AS(mean_flip_probability({}), ShapeError);
  CHECK(benchmark_perturbations().size() == 10);
}
