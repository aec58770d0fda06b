// What every network of the registry must do: its stages, its named parts, gradients for all parameters,
// initial values, small images.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "engine/ops/cross_entropy.h"
#include "models/registry.h"
#include "tests/check_op.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// A size at which a network runs in a fraction of a second, and the smallest side it takes.
struct Small {
  std::string name;
  ModelOptions options;
  std::int64_t side, smallest;
  std::vector<std::vector<std::int64_t>> shapes;  ///< at each stage but the input, for a batch of 2
};

ModelOptions options_of(double width, int depth = 0, int growth = 0) {
  ModelOptions options;
  options.classes = 5;
  options.width = width;
  options.depth = depth;
  options.growth = growth;
  return options;
}

ModelOptions with_stem(ModelOptions options) {
  options.stem = "7x7";
  return options;
}

ModelOptions tokens(double width, int image_size, int patch) {
  ModelOptions options = options_of(width);
  options.image_size = image_size;
  options.patch = patch;
  return options;
}

using Sizes = std::vector<std::vector<std::int64_t>>;

const std::vector<Small>& small_networks() {
  static const std::vector<Small> all{
      {"preactresnet18", options_of(0.0625), 16, 1, Sizes{{2, 16, 16, 4}, {2, 8, 8, 8}, {2, 4, 4, 16}}},
      {"wrn", options_of(1, 10), 16, 1, Sizes{{2, 16, 16, 16}, {2, 8, 8, 32}, {2, 4, 4, 64}}},
      {"wrn-augmix", options_of(1, 10), 16, 1, Sizes{{2, 16, 16, 16}, {2, 8, 8, 32}, {2, 4, 4, 64}}},
      {"resnet18-cifar", options_of(0.0625), 16, 1, Sizes{{2, 16, 16, 4}, {2, 8, 8, 8}, {2, 4, 4, 16}}},
      {"resnet18-cifar", with_stem(options_of(0.0625)), 32, 1,
       Sizes{{2, 16, 16, 4}, {2, 8, 8, 8}, {2, 4, 4, 16}}},
      {"wide-resnet18", options_of(0.125), 16, 1, Sizes{{2, 16, 16, 8}, {2, 8, 8, 16}, {2, 4, 4, 32}}},
      {"resnet18", options_of(0.0625), 64, 1, Sizes{{2, 16, 16, 4}, {2, 8, 8, 8}, {2, 4, 4, 16}}},
      {"resnet50", options_of(0.0625), 64, 1, Sizes{{2, 16, 16, 16}, {2, 8, 8, 32}, {2, 4, 4, 64}}},
      {"resnext29", options_of(0.125), 16, 1, Sizes{{2, 16, 16, 32}, {2, 8, 8, 64}}},
      {"densenet121-cifar", options_of(0, 0, 2), 16, 8, Sizes{{2, 8, 8, 8}, {2, 4, 4, 16}, {2, 2, 2, 32}}},
      {"densenet121", options_of(0, 0, 2), 64, 29, Sizes{{2, 8, 8, 8}, {2, 4, 4, 16}, {2, 2, 2, 32}}},
      {"densenet40", options_of(0, 0, 2), 16, 4, Sizes{{2, 8, 8, 28}, {2, 4, 4, 52}}},
      {"vit-lite", tokens(0.125, 16, 4), 16, 16, Sizes(6, {2, 17, 32})},
      {"allconv", options_of(0.125), 32, 24, Sizes{{2, 16, 16, 12}, {2, 8, 8, 24}}},
      {"alexnet", options_of(0.0625), 80, 63, Sizes{{2, 9, 9, 4}, {2, 4, 4, 12}, {2, 1, 1, 16}}},
  };
  return all;
}

std::unique_ptr<Model> make(const Small& small) {
  return make_model(small.name, small.options, Key(3));
}

Tensor images(std::int64_t count, std::int64_t side) {
  return random_normal({count, side, side, 3}, Key(1));
}

Context training() {
  Context context;
  context.training = true;
  context.key = Key(9);
  return context;
}

double mean_of(const std::vector<double>& v) {
  double total = 0;
  for (const double x : v) total += x;
  return total / static_cast<double>(v.size());
}

double deviation_of(const std::vector<double>& v) {
  const double mean = mean_of(v);
  double total = 0;
  for (const double x : v) total += (x - mean) * (x - mean);
  return std::sqrt(total / static_cast<double>(v.size()));
}

double largest_of(const std::vector<double>& v) {
  double result = 0;
  for (const double x : v) result = std::max(result, std::abs(x));
  return result;
}

}  // namespace

TEST_CASE("every image network of the registry is in the table of this test") {
  // Fixed sizes of networks that are in it.
  std::set<std::string> known{"preactwideresnet18", "wrn28-2", "wrn28-4", "wrn28-10", "wrn40-2-augmix"};
  for (const Small& small : small_networks()) known.insert(small.name);
  for (const ModelEntry& entry : list_models())
    if (!entry.name.starts_with("toy-")) CHECK_MESSAGE(known.contains(entry.name), entry.name);
}

TEST_CASE("stages are announced in order") {
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    std::vector<int> stages;
    Sizes shapes;
    Context context;
    context.stage_hook = [&](int stage, const Tensor& x) {
      stages.push_back(stage);
      shapes.push_back(x.shape().dims());
      return x;
    };
    const NoGrad unrecorded;
    CHECK((*model)(images(2, small.side), context).shape() == Shape{2, 5});
    Sizes expected = small.shapes;
    expected.insert(expected.begin(), {2, small.side, small.side, 3});
    CHECK(shapes == expected);
    CHECK(stages == model->stages());
  }
}

TEST_CASE("what a hook returns at the last stage is all that the logits depend on") {
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    const int last = model->stages().back();
    Context blank;
    blank.stage_hook = [&](int stage, const Tensor& x) { return stage == last ? zeros_like(x) : x; };
    const NoGrad unrecorded;
    const Tensor x = images(2, small.side);
    const Tensor a = (*model)(x, blank), b = (*model)(mul(x, 2), blank);
    CHECK(same_bits(a, b));
    CHECK_FALSE(same_bits(a, (*model)(x, {})));
  }
}

TEST_CASE("head and stage ends name parts of the state, in its order") {
  std::vector<std::string> names;
  for (const ModelEntry& entry : list_models())
    if (entry.name != "wide-resnet18")
      names.push_back(entry.name);  // 279 M parameters; it is a resnet18-cifar
  for (const std::string& name : names) {
    CAPTURE(name);
    ModelOptions options;
    options.classes = 7;
    const auto model = make_blank_model(name, options);
    const Module::Named state = model->state();
    REQUIRE(state.size() >= 2);
    CHECK(state[state.size() - 2].first == model->head() + ".weight");
    CHECK(state.back().first == model->head() + ".bias");
    CHECK(state.back().second.shape() == Shape{7});
    const auto ends = model->stage_ends();
    // Stages at which mixing happens are stages 1, 2, ... of these.
    CHECK(ends.size() + 1 >= model->stages().size());
    std::size_t behind = 0;
    for (const std::string& end : ends) {
      CAPTURE(end);
      std::size_t last = 0;
      for (std::size_t i = 0; i < state.size(); ++i)
        if (state[i].first.starts_with(end + ".")) last = i;
      CHECK(last > behind);
      behind = last;
    }
    CHECK(behind < state.size() - 2);
  }
}

TEST_CASE("one training step reaches every parameter, and the same key gives the same bits") {
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    const Tensor x = images(4, small.side), labels = Tensor::from<std::int64_t>({0, 4, 2, 2}, {4});
    const Tensor logits = (*model)(x, training());
    const Tensor loss = cross_entropy(logits, labels);
    CHECK(std::isfinite(loss.item()));
    backward(loss);
    for (const auto& item : model->parameters()) {
      CAPTURE(item.first);
      REQUIRE(item.second.grad().defined());
      CHECK(largest_of(values(item.second.grad())) > 0);
    }
    const auto twin = make(small);
    CHECK(same_bits(logits, (*twin)(x, training())));
  }
}

TEST_CASE("evaluation without gradients, which fuses norms, gives the logits of the separate modules") {
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    const Tensor x = images(4, small.side);
    for (int i = 0; i < 2; ++i) (*model)(x, training());  // statistics that are not 0 and 1
    const Tensor separate = (*model)(x, {});
    const NoGrad unrecorded;
    CHECK(relative_error((*model)(x, {}), separate) < 1e-4);
    const auto half = values((*model)(x.to(Dtype::bf16), {})), whole = values(separate);
    const double scale = largest_of(whole);
    for (std::size_t i = 0; i < whole.size(); ++i) CHECK(std::abs(half[i] - whole[i]) < 0.1 * scale);
  }
}

TEST_CASE("the smallest images, and one clear error for smaller ones and other shapes") {
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    const NoGrad unrecorded;
    CHECK((*model)(images(1, small.smallest), {}).shape() == Shape{1, 5});
    const std::string text = message_of([&] { (*model)(images(1, small.smallest - 1), {}); });
    CHECK(text != "no error");
    CHECK(text.find('\n') == std::string::npos);
    if (small.smallest > 1)
      CHECK(text.find("x " + std::to_string(small.smallest) + " pixels") != std::string::npos);
    CHECK(message_of([&] { (*model)(random_normal({2, 7}, Key(1)), {}); }) != "no error");
    CHECK(message_of([&] {
            (*model)(random_normal({2, small.side, small.side, 4}, Key(1)), {});
          }) != "no error");
  }
}

TEST_CASE("a vision transformer says which images it takes") {
  const auto model = make_model("vit-lite", tokens(0.125, 16, 4), Key(1));
  CHECK(message_of([&] { (*model)(images(1, 32), {}); }) ==
        "[vit-lite] expects images of 16 x 16 pixels, got 32 x 32: set model.image_size");
  CHECK_THROWS_WITH_AS(make_model("vit-lite", tokens(0.125, 30, 4), Key(1)),
                       "[vit-lite] images of 30 pixels cannot be cut evenly into patches of 4", ConfigError);
  CHECK_THROWS_WITH_AS(make_model("vit-lite", tokens(0.02, 32, 4), Key(1)),
                       "[vit-lite] 5 features cannot be split evenly into 4 heads, choose another width",
                       ConfigError);
}

TEST_CASE("options that a network does not have, and values it cannot have") {
  const auto message = [](const char* name, const ModelOptions& options) {
    try {
      make_blank_model(name, options);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  ModelOptions options;
  options.activation = "gelu";
  CHECK(message("allconv", options) == "[model] allconv has no option 'activation'");
  CHECK(message("vit-lite", options) == "[model] vit-lite has no option 'activation'");
  CHECK(message("resnet50", options) == "no error");
  options = {};
  options.growth = 12;
  CHECK(message("resnet50", options) == "[model] resnet50 has no option 'growth'");
  options.growth = -1;
  CHECK(message("densenet40", options) ==
        "[model] growth, image_size and patch must not be negative, got -1, 0 and 0");
  options = with_stem({});
  CHECK(message("resnet18", options) == "[model] resnet18 has no option 'stem'");
  options.stem = "5x5";
  CHECK(message("resnet18-cifar", options) == "[model] unknown stem '5x5', expected 3x3 or 7x7");
  CHECK(message("wrn", tokens(0, 32, 0)) == "[model] wrn has no option 'image_size'");
  CHECK(message("wrn", tokens(0, 0, 4)) == "[model] wrn has no option 'patch'");
  options = {};
  options.drop_path = 0.1;
  CHECK(message("wrn", options) == "[model] wrn has no option 'drop_path'");
  options.drop_path = 1;
  CHECK(message("vit-lite", options) == "[model] drop_path must be below 1, got 1");
  CHECK(message("wrn-augmix", options_of(1, 12)) ==
        "[wide resnet] depth 12 is not 6 n + 4 with n >= 1 blocks per stage (10, 16, 22, 28, ...)");
}

namespace {

/// Mean and deviation of every convolution weight against a normal law with deviation sqrt(2 / fan).
void check_he(const std::string& name, const ModelOptions& options, bool fan_out) {
  CAPTURE(name);
  for (const auto& item : make_model(name, options, Key(3))->parameters()) {
    const Tensor& value = item.second;
    if (value.rank() != 4 || value.numel() < 4000) continue;
    CAPTURE(item.first);
    const auto v = values(value);
    const std::int64_t area = value.dim(1) * value.dim(2);
    const std::int64_t fan = fan_out ? value.dim(0) * area : value.dim(3) * area;
    const double wanted = std::sqrt(2.0 / static_cast<double>(fan));
    CHECK(deviation_of(v) == doctest::Approx(wanted).epsilon(0.06));
    CHECK(std::abs(mean_of(v)) < 5 * wanted / std::sqrt(static_cast<double>(v.size())));
    CHECK(largest_of(v) > 2.5 * wanted);  // tails, which a uniform law has not
  }
}

Tensor parameter(const Model& model, const std::string& wanted) {
  for (const auto& [name, value] : model.parameters())
    if (name == wanted) return value;
  FAIL("no parameter " << wanted);
  return {};
}

}  // namespace

TEST_CASE("He initial values where the published code has them") {
  check_he("resnet50", options_of(0.25), true);
  check_he("resnet18", options_of(0.25), true);
  check_he("wrn-augmix", options_of(1, 10), true);
  check_he("resnext29", options_of(0.25), true);
  check_he("allconv", options_of(0.5), true);
  check_he("densenet40", options_of(0, 0, 12), true);
  check_he("densenet121", options_of(0, 0, 12), false);
}

TEST_CASE("biases of the last layer, and of convolutions in front of a norm") {
  const std::set<std::string> zero{"wrn-augmix",  "allconv",   "densenet40",
                                   "densenet121", "resnext29", "vit-lite"};
  for (const Small& small : small_networks()) {
    CAPTURE(small.name);
    const auto model = make(small);
    if (zero.contains(small.name)) {
      CHECK(largest_of(values(parameter(*model, model->head() + ".bias"))) == 0);
      continue;
    }
    const double bound =
        1 / std::sqrt(static_cast<double>(parameter(*model, model->head() + ".weight").dim(1)));
    const double largest = largest_of(values(parameter(*model, model->head() + ".bias")));
    CHECK(largest > 0.3 * bound);
    CHECK(largest <= bound);
  }
  CHECK(largest_of(values(parameter(*make_model("allconv", options_of(0.125), Key(3)), "features.0.bias"))) >
        0);
}

TEST_CASE("DiGN's networks start with PyTorch's uniform values") {
  for (const auto& [name, options] :
       {std::pair<const char*, ModelOptions>{"resnet18-cifar", options_of(0.25)},
        {"densenet121-cifar", {}}}) {
    for (const auto& item : make_model(name, options, Key(3))->parameters()) {
      if (item.second.rank() != 4) continue;
      CAPTURE(item.first);
      const double bound = 1 / std::sqrt(static_cast<double>(item.second.numel() / item.second.dim(0)));
      const double largest = largest_of(values(item.second));
      CHECK(largest <= bound);
      CHECK(largest > 0.97 * bound);
    }
  }
}

TEST_CASE("a vision transformer starts with normal values, tokens at 0 and positions with deviation 0.2") {
  const auto model = make_model("vit-lite", {}, Key(3));
  CHECK(largest_of(values(parameter(*model, "classifier.class_emb"))) == 0);
  CHECK(deviation_of(values(parameter(*model, "classifier.positional_emb"))) ==
        doctest::Approx(0.2).epsilon(0.03));
  for (const char* name : {"blocks.0.self_attn.qkv", "blocks.6.linear1", "blocks.3.self_attn.proj", "fc"}) {
    CAPTURE(name);
    const auto v = values(parameter(*model, std::string("classifier.") + name + ".weight"));
    CHECK(deviation_of(v) == doctest::Approx(0.02).epsilon(0.05));
    CHECK(largest_of(v) > 0.05);
  }
  CHECK(largest_of(values(parameter(*model, "classifier.blocks.2.linear2.bias"))) == 0);
  const auto patches = values(parameter(*model, "tokenizer.conv_layers.0.0.weight"));
  CHECK(deviation_of(patches) == doctest::Approx(std::sqrt(2.0 / 48)).epsilon(0.03));
  CHECK(values(parameter(*model, "classifier.blocks.0.norm1.weight")) == std::vector<double>(256, 1.0));
}

TEST_CASE("which layers of a vision transformer draw, in the order of the forward pass") {
  const auto paths = make_blank_model("vit-lite", {})->drawing_modules();
  REQUIRE(paths.size() == 7 + 2 * 6);  // no stochastic depth in the first block
  CHECK(paths[0] == "classifier.blocks.0.self_attn.attn_drop");
  CHECK(paths[1] == "classifier.blocks.1.self_attn.attn_drop");
  CHECK(paths[2] == "classifier.blocks.1.drop_path1");
  CHECK(paths[3] == "classifier.blocks.1.drop_path2");
  ModelOptions still;
  still.dropout = 0;
  still.drop_path = 0;
  CHECK(make_blank_model("vit-lite", still)->drawing_modules().empty());
}
