#include "tools/analysis/toy_boundaries.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

int count(const std::string& text, const std::string& part) {
  int found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("toy boundaries: every scheme of a set, over seeds") {
  ToyBoundaryOptions options;
  options.seeds = 2;
  options.grid = 12;
  options.overrides = {"train.epochs=2"};
  int heard = 0;
  const auto schemes = toy_boundaries(options, [&](const std::string&, int done, int total) {
    CHECK(total == 12);
    heard = done;
  });
  CHECK(heard == 12);
  REQUIRE(schemes.size() == 6);
  CHECK(schemes.front().panel.title == "Baseline");
  CHECK(schemes.back().panel.title == "NoisyMix");
  for (const ToyBoundary& scheme : schemes) {
    CHECK(scheme.panel.probability.size() == 144);
    CHECK(scheme.panel.points.size() == 250);
    REQUIRE(scheme.accuracies.size() == 2);
    // The lower of two, the first of equals.
    CHECK(scheme.panel.accuracy == std::min(scheme.accuracies[0], scheme.accuracies[1]));
    CHECK(scheme.accuracies[static_cast<std::size_t>(scheme.drawn_seed - 1)] == scheme.panel.accuracy);
    CHECK(scheme.accuracy.mean == doctest::Approx((scheme.accuracies[0] + scheme.accuracies[1]) / 2));
  }
  const auto json = nlohmann::json::parse(toy_boundaries_json(options, schemes));
  CHECK(json["schemes"][5]["config"] == "toy-polygon-noisymix");
  CHECK(count(toy_boundaries_csv(schemes), "\n") == 13);
  const std::string svg = toy_boundaries_svg(options, schemes);
  CHECK(svg.starts_with("<svg"));
  CHECK(count(svg, "class=\"title\"") == 6);
  CHECK(count(svg, "<circle") == 6 * 250);
  CHECK(count(svg, " \u00b1 ") == 6);
  CHECK(count(svg, ">test accuracy ") == 6);
  options.seeds = 0;
  CHECK_THROWS_AS(toy_boundaries(options), ConfigError);
}

TEST_CASE("toy boundaries: a training in memory equals one in a folder, and a stop ends the study") {
  ToyBoundaryOptions options;
  options.set = ToySet::circles;
  options.grid = 4;
  options.overrides = {"train.epochs=2"};
  const auto schemes = toy_boundaries(options);
  REQUIRE(schemes.size() == 8);
  const ScratchFolder folder;
  const std::string run = (folder / "run").string();
  REQUIRE(run_program({"train", "toy-circles-nfm", "--set", "train.epochs=2", "--out", run}).code == 0);
  CHECK(compute_boundary(load_run(run), {.grid = 4}).probability == schemes.back().panel.probability);
  options.should_stop = [] { return true; };
  CHECK(toy_boundaries(options).empty());
}

TEST_CASE("boundary figure: regions of the probability, and names from configurations") {
  BoundaryPanel panel{.title = "a < b", .accuracy = 0.5, .half_side = 1, .probability = {}, .points = {}};
  for (int i = 0; i < 9; ++i) panel.probability.push_back(i % 3 / 2.0);  // 0, 0.5, 1 from left to right
  const std::string svg = boundary_figure({{&panel, "50.0 %"}}, 3, 4);
  CHECK(svg.find("a &lt; b") != std::string::npos);
  CHECK(count(svg, "fill-rule=\"evenodd\"") == 9);
  CHECK(count(svg, "class=\"boundary\"") == 1);
  // The right half, wherever its outline starts.
  const std::string path = svg.substr(svg.find("class=\"boundary\""), 120);
  for (const char* corner : {"130 0", "260 0", "260 260", "130 260"}) {
    CAPTURE(path);
    CHECK(path.find(corner) != std::string::npos);
  }
  CHECK_THROWS_AS(boundary_figure({}, 3, 4), ShapeError);
}
