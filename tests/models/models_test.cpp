// Names, stages, initial values and options of every model.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "engine/io/torch_layout.h"
#include "engine/ops/reduce.h"
#include "models/registry.h"
#include "tests/check_op.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

std::unique_ptr<Model> make(const std::string& name, ModelOptions options = {}) {
  return make_model(name, options, Key(3));
}

/// Stage numbers and shapes in the order in which a forward pass announces them.
struct Announced {
  std::vector<int> stages;
  std::vector<Shape> shapes;
};

Announced announced_by(Model& model, const Tensor& x) {
  Announced result;
  Context context;
  context.stage_hook = [&](int stage, const Tensor& activation) {
    result.stages.push_back(stage);
    result.shapes.push_back(activation.shape());
    return activation;
  };
  NoGrad unrecorded;
  model(x, context);
  return result;
}

ModelOptions small() {
  ModelOptions options;
  options.width = 0.0625;
  return options;
}

}  // namespace

TEST_CASE("state names and their number") {
  ModelOptions options = small();
  const Module::Named state = make("preactresnet18", options)->state();
  CHECK(state.size() == 102);
  CHECK(state[0].first == "conv1.weight");
  CHECK(state[1].first == "layer1.0.bn1.weight");
  CHECK(state[37].first == "layer2.0.shortcut.0.weight");
  CHECK(state.back().first == "linear.bias");
  options.final_bn = true;
  const Module::Named with_bn = make("preactresnet18", options)->state();
  CHECK(with_bn.size() == 107);
  CHECK(with_bn[100].first == "bn.weight");

  std::set<std::string> names;
  for (const auto& [name, value] : make("wrn28-2")->state()) CHECK(names.insert(name).second);
  CHECK(names.size() == 183);
  CHECK(names.contains("layer3.3.conv2.bias"));
  CHECK(make("toy-nfm")->state().front().first == "fc1.weight");
}

TEST_CASE("stages are announced in order, with the raw residual sums") {
  const Tensor image = random_normal({2, 16, 16, 3}, Key(1));
  const auto preact = make("preactresnet18", small());
  Announced seen = announced_by(*preact, image);
  CHECK(seen.stages == preact->stages());
  CHECK(seen.stages == std::vector<int>{0, 1, 2, 3});
  CHECK(seen.shapes == std::vector<Shape>{{2, 16, 16, 3}, {2, 16, 16, 4}, {2, 8, 8, 8}, {2, 4, 4, 16}});

  ModelOptions options;
  options.depth = 10;
  options.width = 1;
  const auto wide = make("wrn", options);
  seen = announced_by(*wide, image);
  CHECK(seen.stages == wide->stages());
  CHECK(seen.shapes == std::vector<Shape>{{2, 16, 16, 3}, {2, 16, 16, 16}, {2, 8, 8, 32}, {2, 4, 4, 64}});

  const Tensor point = random_normal({5, 2}, Key(2));
  const auto small_toy = make("toy-noisymix"), large_toy = make("toy-nfm");
  CHECK(small_toy->stages() == std::vector<int>{0, 1});
  CHECK(large_toy->stages() == std::vector<int>{0, 1, 2});
  CHECK(announced_by(*small_toy, point).stages == small_toy->stages());
  seen = announced_by(*large_toy, point);
  CHECK(seen.stages == large_toy->stages());
  CHECK(seen.shapes == std::vector<Shape>{{5, 2}, {5, 32}, {5, 32}});
}

TEST_CASE("what a stage hook returns flows on") {
  const auto model = make("preactresnet18", small());
  const Tensor x = random_normal({1, 8, 8, 3}, Key(4));
  Context blank;
  blank.stage_hook = [](int stage, const Tensor& y) { return stage == 3 ? zeros_like(y) : y; };
  const Tensor a = (*model)(x, blank), b = (*model)(mul(x, 2), blank);
  CHECK(same_bits(a, b));
  CHECK_FALSE(same_bits(a, (*model)(x, Context::evaluation())));
}

TEST_CASE("the shortcut options change the function, not the state") {
  ModelOptions raw = small();
  raw.shortcut = "raw";
  const auto activated_model = make("preactresnet18", small()), raw_model = make("preactresnet18", raw);
  raw_model->load_state(activated_model->state());
  const Tensor x = random_normal({1, 8, 8, 3}, Key(4));
  CHECK_FALSE(same_bits((*activated_model)(x, {}), (*raw_model)(x, {})));
}

TEST_CASE("initial values: PyTorch's ranges, one key one network") {
  const auto model = make("wrn28-2"), twin = make("wrn28-2");
  const auto other = make_model("wrn28-2", {}, Key(4));
  const Module::Named state = model->state(), same = twin->state(), different = other->state();
  for (std::size_t i = 0; i < state.size(); ++i) CHECK(same_bits(state[i].second, same[i].second));
  CHECK_FALSE(same_bits(state[0].second, different[0].second));
  CHECK_FALSE(same_bits(state[7].second, different[7].second));
  for (const auto& item : state) {
    const std::string& name = item.first;
    const Tensor& value = item.second;
    CAPTURE(name);
    const auto v = values(value);
    const double low = *std::min_element(v.begin(), v.end()), high = *std::max_element(v.begin(), v.end());
    if (value.rank() == 4) {
      const double bound = 1 / std::sqrt(static_cast<double>(value.numel() / value.dim(0)));
      CHECK(low >= -bound);
      CHECK(high <= bound);
      CHECK(high - low > 1.9 * bound);  // uniform draws fill the range
      CHECK(variance(value).item() == doctest::Approx(bound * bound / 3).epsilon(0.2));
    } else if (name.find("bn") != std::string::npos) {
      const bool is_one = name.ends_with("weight") || name.ends_with("running_var");
      CHECK(low == (is_one ? 1 : 0));
      CHECK(high == low);
    }
  }
}

TEST_CASE("weights go through a file in PyTorch's layout, also with the prefix of data-parallel runs") {
  const auto model = make("preactresnet18", small()), copy = make_model("preactresnet18", small(), Key(4));
  const testing::ScratchFolder folder;
  const auto path = folder / "weights.safetensors";
  Safetensors content = to_torch_layout(model->state());
  CHECK(content.at("layer2.0.shortcut.0.weight").shape() == Shape{8, 4, 1, 1});
  for (auto& [name, value] : content.tensors) name = "module." + name;
  write_safetensors(path, content);
  copy->load_state(from_torch_layout(read_safetensors(path)));
  const Tensor x = random_normal({2, 8, 8, 3}, Key(4));
  CHECK(same_bits((*model)(x, {}), (*copy)(x, {})));
  CHECK_THROWS_AS(make("wrn28-2")->load_state(model->state()), DataError);
}

TEST_CASE("dropout in a wide network follows the step's key, and evaluation has none") {
  ModelOptions options;
  options.depth = 10;
  options.width = 1;
  options.dropout = 0.5;
  const auto model = make("wrn", options);
  const Tensor x = random_normal({2, 8, 8, 3}, Key(4));
  Context step;
  step.training = true;
  step.key = Key(10);
  const Tensor first = (*model)(x, step), again = (*model)(x, step);
  CHECK(same_bits(first, again));
  step.key = Key(11);
  CHECK_FALSE(same_bits(first, (*model)(x, step)));
  CHECK(same_bits((*model)(x, {}), (*model)(x, {})));
}

TEST_CASE("dropout in a toy network: no state, drawn in training only") {
  ModelOptions options;
  options.classes = 2;
  const Tensor x = random_normal({64, 2}, Key(5));
  const auto plain = make("toy-nfm", options);
  options.dropout = 0.2;
  const auto model = make("toy-nfm", options);
  CHECK(model->state().size() == plain->state().size());
  CHECK(same_bits((*model)(x, {}), (*plain)(x, {})));
  Context step;
  step.training = true;
  step.key = Key(6);
  CHECK_FALSE(same_bits((*model)(x, step), (*plain)(x, step)));
  CHECK(same_bits((*model)(x, step), (*model)(x, step)));
}

TEST_CASE("other numbers of input channels and classes") {
  ModelOptions options = small();
  options.inputs = 1;
  options.classes = 7;
  const auto model = make("preactresnet18", options);
  CHECK((*model)(random_normal({3, 28, 28, 1}, Key(5)), {}).shape() == Shape{3, 7});
  CHECK_THROWS_AS((*model)(random_normal({3, 28, 28, 3}, Key(5)), {}), ShapeError);
}

TEST_CASE("unknown models and options are named") {
  CHECK_THROWS_WITH_AS(make("wrn28_4"), "unknown model 'wrn28_4', did you mean 'wrn28-4'?", ConfigError);
  CHECK_THROWS_WITH_AS(make("preactresnet"), "unknown model 'preactresnet', did you mean 'preactresnet18'?",
                       ConfigError);
  CHECK_THROWS_WITH_AS(
      make("q"),
      "unknown model 'q', known are preactresnet18, preactwideresnet18, wrn28-2, wrn28-4, wrn28-10, wrn, "
      "wrn40-2-augmix, wrn-augmix, resnet18-cifar, wide-resnet18, resnet18, resnet50, resnext29, "
      "densenet121-cifar, densenet121, densenet40, vit-lite, allconv, alexnet, toy-noisymix, toy-nfm",
      ConfigError);
  ModelOptions options;
  options.width = 2;
  CHECK_THROWS_WITH_AS(make("wrn28-4", options), "[model] wrn28-4 has no option 'width'", ConfigError);
  options = {};
  options.dropout = 0.3;
  CHECK_THROWS_WITH_AS(make("preactresnet18", options), "[model] preactresnet18 has no option 'dropout'",
                       ConfigError);
  options = {};
  options.shortcut = "other";
  CHECK_THROWS_WITH_AS(make("preactresnet18", options),
                       "[model] unknown shortcut 'other', expected activated or raw", ConfigError);
  options = {};
  options.depth = 27;
  CHECK_THROWS_WITH_AS(
      make("wrn", options),
      "[wide resnet] depth 27 is not 6 n + 4 with n >= 1 blocks per stage (10, 16, 22, 28, ...)",
      ConfigError);
  options = {};
  options.width = 1.5;
  CHECK_THROWS_WITH_AS(make("wrn", options), "[model] wrn needs a whole width, got 1.5", ConfigError);
  options = {};
  options.activation = "tanh";
  CHECK_THROWS_WITH_AS(make("wrn", options), "unknown activation 'tanh', expected relu or gelu", ConfigError);
  options = {};
  options.classes = 0;
  CHECK_THROWS_WITH_AS(make("wrn", options), "[model] classes must be at least 1, got 0", ConfigError);
}

TEST_CASE("every listed model can be made") {
  const auto models = list_models();
  CHECK(models.size() == 21);
  for (const ModelEntry& entry : models) {
    CAPTURE(entry.name);
    CHECK_FALSE(entry.description.empty());
    CHECK(make_blank_model(entry.name, {})->stages().front() == 0);
  }
}

TEST_CASE("evaluation with batch norms inside the convolutions gives the logits of the separate modules") {
  for (const char* name : {"preactresnet18", "wrn28-2"}) {
    for (const std::string shortcut : {"activated", "raw"}) {
      ModelOptions options;
      options.classes = 7;
      if (std::string(name) == "preactresnet18") {
        options = small();
        options.classes = 7;
        options.shortcut = shortcut;
        options.final_bn = shortcut == "raw";
      } else if (shortcut == "raw") {
        continue;  // its only kind
      }
      CAPTURE(name);
      CAPTURE(shortcut);
      const auto model = make(name, options);
      Context training;
      training.training = true;
      const Tensor x = random_normal({4, 32, 32, 3}, Key(8));
      for (int i = 0; i < 3; ++i) (*model)(x, training);  // statistics that are not 0 and 1
      const Tensor separate = (*model)(x, Context::evaluation());
      const NoGrad unrecorded;
      const Tensor fused = (*model)(x, Context::evaluation());
      const auto a = separate.to_vector<float>(), b = fused.to_vector<float>();
      double scale = 0, gap = 0;
      for (std::size_t i = 0; i < a.size(); ++i) {
        scale = std::max(scale, static_cast<double>(std::abs(a[i])));
        gap = std::max(gap, static_cast<double>(std::abs(a[i] - b[i])));
      }
      CHECK(gap < 1e-5 * scale);
      const Tensor half = (*model)(x.to(Dtype::bf16), Context::evaluation()).to(Dtype::f32);
      const auto c = half.to_vector<float>();
      for (std::size_t i = 0; i < a.size(); ++i) CHECK(std::abs(a[i] - c[i]) < 0.1 * scale);
    }
  }
}
