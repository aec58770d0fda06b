#include "tools/analysis/feature_images.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "engine/ops/pool.h"
#include "layers/linear.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// Features are the mean colours of an image: unit c grows fastest when channel c does, evenly everywhere.
class MeanColour : public Model {
 public:
  MeanColour() : fc_(3, 2) { register_module("fc", fc_); }
  std::vector<int> stages() const override { return {0}; }
  std::string head() const override { return "fc"; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override {
    return fc_(global_avg_pool2d(x), context);
  }

 private:
  Linear fc_;
};

class Headless : public MeanColour {
 public:
  std::string head() const override { return ""; }
};

template <class Network>
LoadedRun run_of() {
  LoadedRun run;
  run.model = std::make_unique<Network>();
  run.model->initialize(Key(1));
  run.card.architecture = "mean-colour";
  run.card.sample_shape = {4, 4, 3};
  run.weights = "weights";
  return run;
}

}  // namespace

TEST_CASE("feature images: ascent reaches the brightest image of the unit's colour") {
  LoadedRun run = run_of<MeanColour>();
  const Tensor before = run.model->state()[0].second.clone();
  FeatureImageOptions options;
  options.units = 3;
  options.steps = 3;
  int last = 0;
  const FeatureImages result = feature_images(run, options, [&](int done, int total) {
    CHECK(total == 9);
    last = done;
  });
  CHECK(last == 9);
  CHECK(result.features == 3);
  REQUIRE(result.units.size() == 3);  // two outputs: two rounds
  for (const FeatureImage& unit : result.units) {
    double mean = 0;
    for (std::size_t e = 0; e < unit.image.pixels.size(); ++e)
      if (static_cast<std::int64_t>(e % 3) == unit.unit) mean += unit.image.pixels[e] / 16.0;
    CHECK(mean == 255);
    CHECK(unit.finish == doctest::Approx(1));  // (1 - 0.5) / 0.5
    CHECK(unit.start < 0.8);
  }
  CHECK(result.units[0].unit != result.units[1].unit);
  CHECK(same_bits(run.model->state()[0].second, before));
}

TEST_CASE("feature images: a step has the length asked for, and the ball holds") {
  LoadedRun run = run_of<MeanColour>();
  FeatureImageOptions options;
  options.units = 1;
  options.step = 0.04;  // 0.01 on each of 16 pixels of the channel
  options.steps = 1;
  const FeatureImage one = feature_images(run, options).units[0];
  CHECK(one.finish - one.start == doctest::Approx(0.01 / 0.5).epsilon(1e-3));
  options.steps = 5;
  options.radius = 0.08;
  const FeatureImage two = feature_images(run, options).units[0];
  CHECK(two.start == one.start);
  CHECK(two.finish - two.start == doctest::Approx(0.02 / 0.5).epsilon(1e-2));
  options.scale = PixelScale::byte;
  options.radius = 0.08 * 255;
  options.step = 0.04 * 255;
  CHECK(feature_images(run, options).units[0].finish == doctest::Approx(two.finish));
}

TEST_CASE("feature images: a grid with a row for each run") {
  FeatureImages run{.run = "a,b", .title = "t", .features = 3, .units = {}};
  Image red(4, 4, 3);
  for (std::size_t e = 0; e < red.pixels.size(); e += 3) red.pixels[e] = 255;
  for (int i = 0; i < 2; ++i) run.units.push_back({.unit = i, .image = red, .start = 0, .finish = 1});
  const Image grid = feature_grid({run, run, run});
  CHECK(grid.height == 4 + 3 * 100);
  CHECK(grid.width == 4 + 2 * 100);
  CHECK(grid.row(0)[0] == 255);
  CHECK(grid.row(0)[1] == 255);  // white
  CHECK(grid.row(4)[12] == 255);
  CHECK(grid.row(4)[13] == 0);  // red
  const auto json = nlohmann::json::parse(feature_images_json({}, {run}));
  CHECK(json["runs"][0]["units"][1]["unit"] == 1);
  CHECK(feature_images_csv({run}).find("\"a,b\",t,1,0,1\n") != std::string::npos);
}

TEST_CASE("feature images: models without features to show") {
  FeatureImageOptions options;
  LoadedRun headless = run_of<Headless>(), points = run_of<MeanColour>(), few = run_of<MeanColour>();
  CHECK_THROWS_AS(feature_images(headless, options), ConfigError);
  points.card.sample_shape = {2};
  CHECK_THROWS_AS(feature_images(points, options), ConfigError);
  options.units = 4;
  CHECK_THROWS_AS(feature_images(few, options), ConfigError);
}
