#include "augment/feature_mix.h"

#include <array>
#include <cmath>

#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

const std::vector<int> kStages{0, 1, 2, 3};

FeatureMixOptions noisymix_options() {
  FeatureMixOptions options;
  options.mix = true;
  options.add = 0.5;
  options.mult = 0.5;
  options.sparse = 0.65;
  return options;
}

}  // namespace

TEST_CASE("draws are a pure function of the key and differ between keys") {
  const auto a = draw_feature_mix(noisymix_options(), kStages, 16, 3, Key(5));
  const auto b = draw_feature_mix(noisymix_options(), kStages, 16, 3, Key(5));
  const auto c = draw_feature_mix(noisymix_options(), kStages, 16, 3, Key(6));
  CHECK(a.lambda == b.lambda);
  CHECK(a.permutation == b.permutation);
  CHECK(a.noise[2].add == b.noise[2].add);
  CHECK(a.lambda != c.lambda);
  CHECK(a.permutation != c.permutation);
  CHECK(a.noise.size() == 3);
  CHECK_FALSE(a.noise[0].key == a.noise[1].key);
  CHECK(a.noise[0].mult != a.noise[1].mult);
}

TEST_CASE("the layer is uniform over the eligible set") {
  auto options = noisymix_options();
  options.layers = {0, 2, 3};
  std::array<int, 4> count{};
  for (int step = 0; step < 6000; ++step)
    ++count[static_cast<std::size_t>(draw_feature_mix(options, kStages, 2, 1, Key(step)).layer)];
  CHECK(count[1] == 0);
  for (const std::size_t layer : {0u, 2u, 3u}) CHECK(std::abs(count[layer] - 2000) < 150);
  options.layers.clear();
  std::array<int, 4> all{};
  for (int step = 0; step < 6000; ++step)
    ++all[static_cast<std::size_t>(draw_feature_mix(options, kStages, 2, 1, Key(step)).layer)];
  for (const int n : all) CHECK(std::abs(n - 1500) < 140);
}

TEST_CASE("lambda follows Beta(alpha, alpha); 0 switches mixing off, 1e-8 gives zero or one") {
  auto options = noisymix_options();
  double sum = 0, squares = 0;
  const int steps = 20000;
  for (int step = 0; step < steps; ++step) {
    const double lambda = draw_feature_mix(options, kStages, 2, 1, Key(step)).lambda;
    sum += lambda / steps;
    squares += lambda * lambda / steps;
  }
  CHECK(sum == doctest::Approx(0.5).epsilon(0.02));
  CHECK(squares == doctest::Approx(1.0 / 3).epsilon(0.03));

  options.alpha = 1e-8;
  int ones = 0;
  for (int step = 0; step < 2000; ++step) {
    const auto draw = draw_feature_mix(options, kStages, 4, 1, Key(step));
    CHECK((draw.lambda == 0 || draw.lambda == 1));
    CHECK(draw.permutation.empty() == (draw.lambda == 1));
    ones += draw.lambda == 1;
  }
  CHECK(std::abs(ones - 1000) < 150);

  options.alpha = 0;
  CHECK(draw_feature_mix(options, kStages, 4, 1, Key(1)).lambda == 1);
}

TEST_CASE("mixing and noise are independent switches") {
  const auto all = draw_feature_mix(noisymix_options(), kStages, 8, 3, Key(9));
  auto options = noisymix_options();
  options.mix = false;
  const auto noise_only = draw_feature_mix(options, kStages, 8, 3, Key(9));
  CHECK(noise_only.lambda == 1);
  CHECK(noise_only.permutation.empty());
  CHECK(noise_only.noise[1].add == all.noise[1].add);
  CHECK(noise_only.noise[1].key == all.noise[1].key);
  options = noisymix_options();
  options.add = 0;
  const auto no_additive = draw_feature_mix(options, kStages, 8, 3, Key(9));
  CHECK(no_additive.lambda == all.lambda);
  CHECK(no_additive.noise[1].add == 0);
  CHECK(no_additive.noise[1].mult == all.noise[1].mult);
  CHECK_FALSE(FeatureMixOptions{}.active());
  CHECK(options.active());
}

TEST_CASE("levels: Beta(2,5) per view and kind, additive level times the view index") {
  double sum = 0, squares = 0;
  const int steps = 20000;
  for (int step = 0; step < steps; ++step) {
    const auto draw = draw_feature_mix(noisymix_options(), kStages, 2, 3, Key(step));
    const double b = draw.noise[2].add / (0.5 * 3);
    sum += b / steps;
    squares += b * b / steps;
  }
  CHECK(sum == doctest::Approx(2.0 / 7).epsilon(0.02));
  CHECK(squares == doctest::Approx(3.0 / 28).epsilon(0.03));

  auto options = noisymix_options();
  options.scale = NoiseScale::fixed;
  auto draw = draw_feature_mix(options, kStages, 2, 3, Key(1));
  for (std::size_t v = 0; v < 3; ++v) {
    CHECK(draw.noise[v].add == doctest::Approx(0.5 * static_cast<double>(v + 1)));
    CHECK(draw.noise[v].mult == 0.5);
    CHECK(draw.noise[v].sparse == 0.65);
  }
  options.view_scale = ViewScale::none;
  draw = draw_feature_mix(options, kStages, 2, 3, Key(1));
  CHECK(draw.noise[2].add == 0.5);
}

TEST_CASE("noise over many steps has the variances of the specification") {
  auto options = noisymix_options();
  options.mix = false;
  double additive = 0, multiplicative = 0, at_one = 0;
  const int steps = 4000, n = 1000;
  for (int step = 0; step < steps; ++step) {
    const auto draw = draw_feature_mix(options, kStages, 1, 1, Key(step));
    auto only = draw;
    only.noise[0].add = 0;
    for (const double v : values(apply_feature_mix(only, Tensor::ones({1, n})))) {
      multiplicative += (v - 1) * (v - 1) / (steps * n);
      at_one += (v == 1.0) / double(steps * n);
    }
    only = draw;
    only.noise[0].mult = 0;
    for (const double v : values(apply_feature_mix(only, Tensor::zeros({1, n}))))
      additive += v * v / (steps * n);
  }
  CHECK(additive == doctest::Approx(0.25 * 3 / 28 * 0.35).epsilon(0.06));
  CHECK(multiplicative == doctest::Approx(0.25 * 3 / 28 / 3 * 0.35).epsilon(0.06));
  CHECK(at_one == doctest::Approx(0.65).epsilon(0.005));
}

TEST_CASE("applying mixes all views with one lambda and one permutation") {
  FeatureMixOptions options;
  options.mix = true;
  const auto draw = draw_feature_mix(options, kStages, 4, 3, Key(21));
  const Tensor x = random_normal({12, 5}, Key(1), 0, 1, Dtype::f64);
  const auto got = values(apply_feature_mix(draw, x)), from = values(x);
  for (std::int64_t row = 0; row < 12; ++row) {
    const std::int64_t partner = row / 4 * 4 + draw.permutation[static_cast<std::size_t>(row % 4)];
    for (std::int64_t c = 0; c < 5; ++c) {
      const auto at = [&](std::int64_t r) { return from[static_cast<std::size_t>(r * 5 + c)]; };
      CHECK(got[static_cast<std::size_t>(row * 5 + c)] ==
            doctest::Approx(draw.lambda * at(row) + (1 - draw.lambda) * at(partner)).epsilon(1e-12));
    }
  }
  CHECK(apply_feature_mix(draw_feature_mix({}, kStages, 4, 3, Key(1)), x).raw() == x.raw());
}

TEST_CASE("wrong settings are named") {
  auto options = noisymix_options();
  options.layers = {0, 4};
  CHECK_THROWS_WITH_AS(draw_feature_mix(options, kStages, 2, 1, Key(1)),
                       "[feature_mix] layer 4 is not among the model's stages 0, 1, 2, 3", ConfigError);
  CHECK_THROWS_AS(draw_feature_mix(noisymix_options(), {}, 2, 1, Key(1)), ConfigError);
  options = noisymix_options();
  options.alpha = -1;
  CHECK_THROWS_AS(draw_feature_mix(options, kStages, 2, 1, Key(1)), ConfigError);
  options = noisymix_options();
  options.sparse = 1.5;
  CHECK_THROWS_AS(draw_feature_mix(options, kStages, 2, 1, Key(1)), ConfigError);
  options = noisymix_options();
  options.add = -0.5;
  CHECK_THROWS_AS(draw_feature_mix(options, kStages, 2, 1, Key(1)), ConfigError);
  CHECK_THROWS_AS(draw_feature_mix(noisymix_options(), kStages, 2, 0, Key(1)), ShapeError);
}
