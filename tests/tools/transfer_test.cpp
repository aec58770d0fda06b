// Fine-tuning from end to end on tiny networks: what is loaded, what holds still, what a checkpoint keeps.
#include "tools/transfer.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string>

#include "data/image_codec.h"
#include "engine/autograd.h"
#include "engine/io/torch_layout.h"
#include "engine/ops/cross_entropy.h"
#include "engine/ops/random.h"
#include "engine/profile.h"
#include "tests/scratch_folder.h"
#include "tests/tools/same_state.h"
#include "tests/tools/small_runs.h"
#include "tools/run_directory.h"
#include "tools/trainer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

namespace fs = std::filesystem;

/// Pictures of `classes` classes, four each in train/ and one each in test/.
fs::path pictures_of(const ScratchFolder& folder, int classes) {
  const fs::path root = folder / ("pictures" + std::to_string(classes));
  for (int k = 0; k < classes; ++k) {
    for (int i = 0; i < 5; ++i) {
      Image image(32, 32, 3);
      const int slope = 3 * k + 2, start = 41 * i;
      for (std::size_t p = 0; p < image.pixels.size(); ++p)
        image.pixels[p] = static_cast<std::uint8_t>((static_cast<int>(p) * slope + start) % 256);
      const fs::path place = root / (i < 4 ? "train" : "test") / ("class" + std::to_string(k));
      fs::create_directories(place);
      write_png(place / (std::to_string(i) + ".png"), image);
    }
  }
  return root;
}

Config small_run(const fs::path& pictures) {
  Config config;
  config.data.name = "folder";
  config.data.path = pictures.string();
  config.model.name = "preactresnet18";
  config.model.options.width = 0.125;
  config.optimizer.lr = 0.01;
  config.schedule.name = "constant";
  config.train.batch = 4;
  config.train.max_steps = 2;
  return config;
}

Config fine_tuning(const fs::path& weights, const fs::path& pictures, int freeze) {
  Config config = small_run(pictures);
  config.transfer.weights = weights.string();
  config.transfer.freeze = freeze;
  return config;
}

void train(const Config& config, const fs::path& run, bool resume = false) {
  TrainObserver nobody;
  Trainer(config, {run, resume, {}}, nobody).run();
}

/// The source run of the tests, trained on five classes.
fs::path trained_source(const ScratchFolder& folder) {
  train(small_run(pictures_of(folder, 5)), folder / "source");
  return folder / "source";
}

const Tensor& named(const Module::Named& tensors, const std::string& name) {
  const auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.first == name; });
  REQUIRE_MESSAGE(found != tensors.end(), name);
  return found->second;
}

bool equal_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

/// 0 for what lies in front of stage 1, 1 for stage 1, ... and 5 for the last layer.
int stage_of(const std::string& name) {
  if (name.starts_with("linear.")) return 5;
  return name.starts_with("layer") ? name[5] - '0' : 0;
}

ModelCard card_of(const std::string& model, const ModelOptions& options) {
  ModelCard card;
  card.architecture = model;
  card.options = options;
  for (int k = 0; k < options.classes; ++k) card.class_names.push_back(std::to_string(k));
  card.sample_shape = {32, 32, 3};
  return card;
}

ModelOptions narrow(int classes) {
  ModelOptions options;
  options.classes = classes;
  options.width = 0.125;
  return options;
}

TransferConfig from(const fs::path& weights, int freeze = -1) {
  TransferConfig config;
  config.weights = weights.string();
  config.freeze = freeze;
  return config;
}

fs::path saved_weights(const ScratchFolder& folder, const ModelOptions& options) {
  const auto model = make_model("preactresnet18", options, Key(5));
  save_weights(folder / "w.safetensors", *model, card_of("preactresnet18", options));
  return folder / "w.safetensors";
}

std::string message_of(const TransferConfig& config, const std::string& name, const ModelOptions& options) {
  const auto model = make_model(name, options, Key(2));
  const auto before = model->parameters().front().second.to_vector<float>();
  try {
    begin_transfer(config, card_of(name, options), *model, true);
  } catch (const Error& error) {
    CHECK(model->parameters().front().second.to_vector<float>() == before);  // nothing half done
    return error.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("fine-tuning: frozen stages keep their bits, everything behind them and a new last layer train") {
  const ScratchFolder folder;
  const fs::path source = trained_source(folder), pictures = pictures_of(folder, 3);
  const Module::Named before = load_run(source).model->state();
  for (const int freeze : {-1, 1, 2, 3, 4}) {
    CAPTURE(freeze);
    const fs::path run = folder / ("freeze" + std::to_string(freeze));
    train(fine_tuning(source, pictures, freeze), run);
    const LoadedRun tuned = load_run(run);
    CHECK(tuned.card.class_names == std::vector<std::string>{"class0", "class1", "class2"});
    CHECK(named(tuned.model->state(), "linear.weight").shape() == Shape{3, 64});
    for (const auto& [name, parameter] : tuned.model->parameters()) {
      const std::string label = name;
      CAPTURE(label);
      if (stage_of(name) < 5) CHECK(equal_bits(parameter, named(before, name)) == (stage_of(name) <= freeze));
    }
    // The statistics of frozen stages go on moving, as in the published code.
    CHECK(!equal_bits(named(tuned.model->state(), "layer1.0.bn1.running_mean"),
                      named(before, "layer1.0.bn1.running_mean")));
    const Checkpoint checkpoint = load_checkpoint(RunDirectory(run).checkpoints().back());
    for (const auto& [name, memory] : checkpoint.optimizer) CHECK(stage_of(name) > freeze);
    CHECK(!checkpoint.optimizer.empty());
    CHECK(checkpoint.model.size() == before.size());
  }
}

TEST_CASE("fine-tuning: with freeze_statistics frozen norms keep their running statistics too") {
  const ScratchFolder folder;
  const fs::path source = trained_source(folder), pictures = pictures_of(folder, 3);
  const Module::Named before = load_run(source).model->state();
  Config config = fine_tuning(source, pictures, 2);
  config.transfer.freeze_statistics = true;
  train(config, folder / "run");
  const LoadedRun tuned = load_run(folder / "run");
  int norms = 0;
  for (const auto& [name, tensor] : tuned.model->state()) {
    if (name.find("running_") == std::string::npos && name.find("num_batches") == std::string::npos) continue;
    const std::string label = name;
    CAPTURE(label);
    CHECK(equal_bits(tensor, named(before, name)) == (stage_of(name) <= 2));
    ++norms;
  }
  CHECK(norms == 16 * 3);
}

TEST_CASE("fine-tuning: resumed it gives the same bits, without the weights it began with") {
  const ScratchFolder folder;
  const fs::path source = trained_source(folder), pictures = pictures_of(folder, 3);
  Config config = fine_tuning(source, pictures, 3);
  config.train.max_steps = 4;  // more than an epoch of three
  train(config, folder / "whole");
  config.train.max_steps = 1;
  train(config, folder / "parts");
  fs::remove_all(source);
  config.train.max_steps = 4;
  train(config, folder / "parts", true);
  CHECK(file_bytes(folder / "parts" / "model.safetensors") ==
        file_bytes(folder / "whole" / "model.safetensors"));
}

TEST_CASE("fine-tuning: a new last layer has the run's own draw, everything else the file's values") {
  const ScratchFolder folder;
  const fs::path weights = saved_weights(folder, narrow(10));
  const Module::Named source = load_run(weights).model->state();
  const auto fresh = make_model("preactresnet18", narrow(3), Key(9)),
             model = make_model("preactresnet18", narrow(3), Key(9));
  const Module::Named trained =
      begin_transfer(from(weights), card_of("preactresnet18", narrow(3)), *model, true);
  CHECK(trained.size() == model->parameters().size());
  for (const auto& [name, tensor] : model->state())
    CHECK(equal_bits(tensor, named(stage_of(name) == 5 ? fresh->state() : source, name)));

  TransferConfig whole = from(weights);
  whole.replace_head = false;
  const auto same = make_model("preactresnet18", narrow(10), Key(9));
  begin_transfer(whole, card_of("preactresnet18", narrow(10)), *same, true);
  CHECK(same_bits(same->state(), source));
}

TEST_CASE("fine-tuning: a frozen prefix costs no backward pass") {
  const ScratchFolder folder;
  const fs::path weights = saved_weights(folder, narrow(10));
  const auto gradient_calls = [&](int freeze) {
    const auto model = make_model("preactresnet18", narrow(3), Key(9));
    begin_transfer(from(weights, freeze), card_of("preactresnet18", narrow(3)), *model, true);
    Context context;
    context.training = true;
    const Tensor x = random_normal({2, 32, 32, 3}, Key(1));
    const Tensor labels = Tensor::from(std::vector<std::int64_t>{0, 2}, {2});
    const Tensor loss = cross_entropy((*model)(x, context), labels);
    const Profile profile;
    backward(loss);
    std::int64_t calls = 0;
    for (const auto& [op, cost] : profile.costs())
      if (op.starts_with("conv2d")) calls += cost.calls;
    return calls;
  };
  // 17 convolutions of 3x3 and 3 shortcuts: each has a weight gradient, and all but the first an input
  // gradient.
  CHECK(gradient_calls(-1) == 20 + 19);
  // Stages 2 to 4 hold 5 convolutions each; the two that read the frozen stage's output need no input
  // gradient.
  const std::int64_t behind_first = gradient_calls(1);
  CHECK(behind_first <= 15 + 15);
  CHECK(behind_first >= 15 + 13);
  CHECK(gradient_calls(3) <= 5 + 5);
  CHECK(gradient_calls(4) == 0);
}

TEST_CASE(
    "fine-tuning: frozen to the last stage, nothing but the last layer trains, whatever stands between") {
  const ScratchFolder folder;
  ModelOptions options;
  options.depth = 10;
  options.width = 1;
  options.classes = 3;
  const auto model = make_model("wrn", options, Key(5));  // its last batch norm belongs to no stage
  save_weights(folder / "w.safetensors", *model, card_of("wrn", options));
  const auto names = [&](int freeze) {
    std::vector<std::string> result;
    for (const auto& [name, tensor] :
         begin_transfer(from(folder / "w.safetensors", freeze), card_of("wrn", options), *model, true))
      result.push_back(name);
    return result;
  };
  CHECK(names(3) == std::vector<std::string>{"linear.weight", "linear.bias"});
  CHECK(names(2).front() == "layer3.0.bn1.weight");
}

TEST_CASE("fine-tuning: PyTorch files without a card serve as well") {
  const ScratchFolder folder;
  const auto source = make_model("preactresnet18", narrow(10), Key(5));
  Safetensors file = to_torch_layout(source->state());
  for (auto& [name, tensor] : file.tensors) name = "module." + name;
  std::erase_if(file.tensors, [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  write_safetensors(folder / "torch.safetensors", file);
  const auto model = make_model("preactresnet18", narrow(3), Key(9));
  begin_transfer(from(folder / "torch.safetensors", 2), card_of("preactresnet18", narrow(3)), *model, true);
  CHECK(equal_bits(named(model->state(), "layer4.1.conv2.weight"),
                   named(source->state(), "layer4.1.conv2.weight")));
}

TEST_CASE("fine-tuning: a network's statement of stages goes with its layers") {
  for (const char* name : {"preactresnet18", "wrn", "toy-nfm"}) {
    CAPTURE(name);
    ModelOptions options;
    options.width = 1;
    const auto model = make_model(name, options, Key(1));
    const Module::Named parameters = model->parameters();
    std::size_t last = 0;
    for (const std::string& end : model->stage_ends()) {
      CAPTURE(end);
      std::size_t at = 0;
      for (std::size_t i = 0; i < parameters.size(); ++i)
        if (parameters[i].first.starts_with(end + ".")) at = i;
      CHECK(at > last);
      last = at;
    }
    CHECK(parameters[parameters.size() - 2].first == model->head() + ".weight");
    CHECK(parameters.back().first == model->head() + ".bias");
  }
}

TEST_CASE("fine-tuning: weights, stages and last layers that do not fit are refused with the reason") {
  const ScratchFolder folder;
  const fs::path weights = saved_weights(folder, narrow(10));
  const std::string beyond = message_of(from(weights, 5), "preactresnet18", narrow(3));
  CHECK(beyond == "[transfer] freeze = 5, but preactresnet18 has 4 stages (layer1, layer2, layer3, layer4)");

  TransferConfig whole = from(weights);
  whole.replace_head = false;
  const std::string classes = message_of(whole, "preactresnet18", narrow(3));
  CHECK(classes.find("transfer.replace_head = true draws the last layer anew") != std::string::npos);
  CHECK(classes.find("wrong shape: linear.weight is [10, 64], expected [3, 64]") != std::string::npos);
  CHECK(classes.find("wrong shape: linear.bias is [10], expected [3]") != std::string::npos);

  ModelOptions wide;
  wide.depth = 10;
  wide.width = 1;
  const std::string other = message_of(from(weights), "wrn", wide);
  CHECK(other.find("weights of preactresnet18 with 10 classes for wrn with 10 classes") != std::string::npos);
  CHECK(other.find("missing: conv1.bias [16]") != std::string::npos);
  CHECK(other.find("wrong shape: conv1.weight is [8, 3, 3, 3], expected [16, 3, 3, 3]") != std::string::npos);
  CHECK(other.find("unexpected: layer1.1.bn1.weight [8]") != std::string::npos);
  CHECK(other.find(" more") != std::string::npos);

  ModelOptions raw = narrow(3);
  raw.shortcut = "raw";
  CHECK(message_of(from(weights), "preactresnet18", raw).find("model.shortcut = \"activated\"") !=
        std::string::npos);
  CHECK(message_of(from(folder / "none.safetensors"), "preactresnet18", narrow(3)).find("none.safetensors") !=
        std::string::npos);
}

TEST_CASE("fine-tuning: settings that make no sense are refused") {
  const auto load = [](const std::string& text) { return parse_config("t", "[transfer]\n" + text, {}); };
  CHECK(load("weights = \"w\"\nfreeze = 4\n").transfer.freeze == 4);
  CHECK_THROWS_WITH_AS(load("weights = \"w\"\nfreeze = 0\n"), doctest::Contains("-1 (nothing) or at least 1"),
                       ConfigError);
  CHECK_THROWS_WITH_AS(load("freeze = 1\n"), doctest::Contains("needs transfer.weights"), ConfigError);
  CHECK_THROWS_WITH_AS(load("weights = \"w\"\nfreeze_statistics = true\n"),
                       doctest::Contains("needs transfer.freeze >= 1"), ConfigError);
}
