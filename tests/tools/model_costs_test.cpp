// What networks cost, against counts written out here; and how `noisymix models` shows it.
#include "tools/model_costs.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>
#include <string>

#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "tests/tools/command_line.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::unique_ptr<Model> narrow_preact() {
  ModelOptions options;
  options.width = 0.125;
  return make_model("preactresnet18", options, Key(1));
}

/// Two operations per multiply-add of a k x k convolution with `side` x `side` results.
double conv_flops(double k, double in, double out, double side) {
  return 2 * k * k * in * out * side * side;
}

/// A stage of two blocks.
double stage_flops(double in, double out, double side) {
  const double shortcut = in != out ? conv_flops(1, in, out, side) : 0;
  return conv_flops(3, in, out, side) + 3 * conv_flops(3, out, out, side) + shortcut;
}

const ModuleCosts& row(const ModelCosts& costs, const std::string& path) {
  const auto found =
      std::find_if(costs.modules.begin(), costs.modules.end(), [&](const auto& m) { return m.path == path; });
  REQUIRE_MESSAGE(found != costs.modules.end(), path);
  return *found;
}

}  // namespace

TEST_CASE("model costs: arithmetic, parameters and shapes of a residual network") {
  const auto model = narrow_preact();
  const ModelCosts costs = measure_costs(*model, {32, 32, 3});
  CHECK(costs.parameters == model->parameter_count());
  CHECK(row(costs, "conv1").flops == conv_flops(3, 3, 8, 32));
  CHECK(row(costs, "layer1").flops == stage_flops(8, 8, 32));
  CHECK(row(costs, "layer2").flops == stage_flops(8, 16, 16));
  CHECK(row(costs, "layer4").flops == stage_flops(32, 64, 4));
  CHECK(row(costs, "linear").flops == 2 * 64 * 10);
  CHECK(costs.flops == conv_flops(3, 3, 8, 32) + stage_flops(8, 8, 32) + stage_flops(8, 16, 16) +
                           stage_flops(16, 32, 8) + stage_flops(32, 64, 4) + 2 * 64 * 10);
  CHECK(row(costs, "conv1").output == std::vector<std::int64_t>{32, 32, 8});
  CHECK(row(costs, "layer4").output == std::vector<std::int64_t>{4, 4, 64});
  CHECK(row(costs, "linear").output == std::vector<std::int64_t>{10});
  CHECK(row(costs, "layer1").parameters == 2 * (2 * 9 * 8 * 8 + 4 * 8));
  CHECK(row(costs, "linear").parameters == 650);

  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : model->state()) bytes += static_cast<std::int64_t>(tensor.bytes());
  CHECK(costs.weight_bytes == bytes);
}

TEST_CASE("model costs: rows at any depth are a partition of the network") {
  for (const int depth : {1, 2, 3, 9}) {
    CAPTURE(depth);
    const auto model = narrow_preact();
    const ModelCosts costs = measure_costs(*model, {16, 16, 3}, depth);
    double flops = 0;
    std::int64_t parameters = 0;
    for (const ModuleCosts& module : costs.modules) {
      flops += module.flops;
      parameters += module.parameters;
    }
    CHECK(flops == costs.flops);
    CHECK(parameters == costs.parameters);
  }
  const auto model = narrow_preact();
  CHECK(row(measure_costs(*model, {16, 16, 3}, 2), "layer2.0").output == std::vector<std::int64_t>{8, 8, 16});
}

TEST_CASE("model costs: activations grow with the area and hold at least every convolution's input") {
  const auto small = narrow_preact(), large = narrow_preact();
  const auto few = static_cast<double>(measure_costs(*small, {32, 32, 3}).activation_bytes);
  const auto many = static_cast<double>(measure_costs(*large, {64, 64, 3}).activation_bytes);
  CHECK(many / few == doctest::Approx(4).epsilon(0.02));
  CHECK(few > 4 * (32 * 32 * (3 + 4 * 8) + 16 * 16 * 3 * 16 + 8 * 8 * 3 * 32 + 4 * 4 * 3 * 64));
}

TEST_CASE("model costs: points") {
  ModelOptions options;
  options.classes = 2;
  const auto model = make_model("toy-noisymix", options, Key(1));
  const ModelCosts costs = measure_costs(*model, {2});
  CHECK(costs.parameters == 2 * 32 + 32 + 32 * 2 + 2);
  CHECK(costs.flops == 2 * (2 * 32 + 32 * 2));
}

TEST_CASE("noisymix models: the list names every network, and one is shown in a hundred columns") {
  const Outcome list = run_program({"models", "--brief"});
  CHECK(list.code == kExitSuccess);
  for (const ModelEntry& entry : list_models())
    CHECK(("\n" + list.out).find("\n" + entry.name + " ") != std::string::npos);
  const Outcome one =
      run_program({"models", "preactresnet18", "--side", "16", "--classes", "7", "--depth", "2"});
  REQUIRE_MESSAGE(one.code == kExitSuccess, one.err);
  for (const char* part : {"16x16x3, 7 classes", "freezing to  1 layer1, 2 layer2, 3 layer3, 4 layer4",
                           "model.shortcut", "mix.layers   0, 1, 2, 3", "layer3.1", "4x4x256"}) {
    CAPTURE(part);
    CHECK(one.out.find(part) != std::string::npos);
  }
  for (const std::string& text : {list.out, one.out}) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 100);
  }
  const Outcome typo = run_program({"models", "preactresnet81"});
  CHECK(typo.code == kExitUsage);
  CHECK(typo.err.find("did you mean 'preactresnet18'?") != std::string::npos);
}

TEST_CASE("noisymix models: JSON") {
  const auto json = nlohmann::json::parse(run_program({"models", "toy-nfm", "--json"}).out);
  CHECK(json["name"] == "toy-nfm");
  CHECK(json["input"] == std::vector<int>{2});
  CHECK(json["parameters"] == 2 * 32 + 32 + 2 * (32 * 32 + 32) + 32 * 2 + 2);
  CHECK(json["head"] == "fc4");
  CHECK(json["freezing_stages"] == std::vector<std::string>{"fc1", "fc2", "fc3"});
  CHECK(json["modules"].size() == 4);
}
