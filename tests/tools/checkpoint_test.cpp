#include "tools/checkpoint.h"

#include <doctest/doctest.h>

#include <fstream>

#include "engine/io/atomic_file.h"
#include "tests/scratch_folder.h"
#include "tests/tools/same_state.h"
#include "tools/run_directory.h"

using namespace noisymix;
using noisymix::testing::same_bits;
using noisymix::testing::ScratchFolder;

namespace {

namespace fs = std::filesystem;

ModelCard small_card() {
  ModelCard card;
  card.architecture = "wrn";
  card.options.classes = 2;
  card.options.inputs = 3;
  card.options.width = 1;
  card.options.depth = 10;
  card.options.dropout = 0.25;
  card.class_names = {"cat \"\xC3\xA9\"", "dog"};
  card.normalization = "cifar10";
  card.sample_shape = {32, 32, 3};
  card.version = "0.0.1";
  card.data = "pets";
  return card;
}

std::unique_ptr<Model> small_model(Key key) {
  return make_model("wrn", small_card().options, key);
}

Config toy_config() {
  Config config;
  config.data.name = "circles";
  config.model.name = "toy-nfm";
  return config;
}

}  // namespace

TEST_CASE("weights come back bit for bit with everything needed to use them") {
  const ScratchFolder folder;
  const auto model = small_model(Key(1));
  save_weights(folder / "w.safetensors", *model, small_card());
  const LoadedRun run = load_run(folder / "w.safetensors");
  CHECK(same_bits(run.model->state(), model->state()));
  CHECK(run.card.architecture == "wrn");
  CHECK(run.card.options.dropout == 0.25);
  CHECK(run.card.options.depth == 10);
  CHECK(run.card.class_names == small_card().class_names);
  CHECK(run.card.sample_shape == small_card().sample_shape);
  CHECK(run.card.version == "0.0.1");
  CHECK(run.card.data == "pets");
  CHECK(run.normalization.mean[0] == doctest::Approx(125.3 / 255));
  CHECK(!run.config.has_value());
}

TEST_CASE("weight files have PyTorch's names and shapes") {
  const ScratchFolder folder;
  const auto model = small_model(Key(1));
  save_weights(folder / "w.safetensors", *model, small_card());
  const Safetensors file = read_safetensors(folder / "w.safetensors");
  CHECK(file.metadata.at("format") == "pt");
  CHECK(file.at("conv1.weight").shape() == Shape{16, 3, 3, 3});
  CHECK(file.at("layer2.0.conv1.weight").shape() == Shape{32, 16, 3, 3});
  CHECK(file.at("bn1.running_var").shape() == Shape{64});
  CHECK(file.at("linear.weight").shape() == Shape{2, 64});
}

TEST_CASE("a checkpoint comes back bit for bit") {
  const ScratchFolder folder;
  const auto model = small_model(Key(1)), momenta = small_model(Key(2));
  Position position{.step = 123456789012, .epoch = 3, .batch = 7, .examples = 900};
  position.loss_sum = 0.1 + 0.2;
  position.accuracy_sum = 1.0 / 3;
  position.best_accuracy = 0.7;
  position.metrics_bytes = 4711;
  save_checkpoint(folder / "c.safetensors", {small_card(),
                                             position,
                                             model->state(),
                                             momenta->parameters(),
                                             {{"delta", Tensor::full({2, 3}, 0.25)}}});
  const Checkpoint read = load_checkpoint(folder / "c.safetensors");
  CHECK(read.position == position);
  CHECK(same_bits(read.model, model->state()));
  CHECK(same_bits(read.optimizer, momenta->parameters()));
  REQUIRE(read.objective.size() == 1);
  CHECK(read.objective[0].first == "delta");
  CHECK(read.objective[0].second.to_vector<float>() == std::vector<float>(6, 0.25f));
  CHECK(
      same_bits(load_run(folder / "c.safetensors").model->state(), model->state()));  // usable as weights too
}

TEST_CASE("unusable files are refused with their name and the reason") {
  const ScratchFolder folder;
  const fs::path path = folder / "w.safetensors";
  const auto model = small_model(Key(1));
  CHECK_THROWS_AS(load_run(folder / "absent.safetensors"), DataError);

  write_safetensors(path, {model->state(), {}});
  CHECK_THROWS_WITH_AS(load_run(path), doctest::Contains("w.safetensors: not written by noisymix"),
                       DataError);

  write_safetensors(path, {model->state(), {{"noisymix", "{\"architecture\": 7}"}}});
  CHECK_THROWS_WITH_AS(load_run(path), doctest::Contains("malformed metadata"), DataError);

  ModelCard card = small_card();
  card.class_names.push_back("bird");
  save_weights(path, *model, card);
  CHECK_THROWS_WITH_AS(load_run(path), doctest::Contains("names 3 classes, but the network has 2"),
                       DataError);

  card = small_card();
  card.options.width = 2;
  save_weights(path, *model, card);
  CHECK_THROWS_WITH_AS(load_run(path), doctest::Contains("wrong shape: layer1.0"), DataError);

  save_weights(path, *model, small_card());
  CHECK_THROWS_WITH_AS(load_checkpoint(path), doctest::Contains("no \"position\" entry"), DataError);
  fs::resize_file(path, fs::file_size(path) - 1);
  CHECK_THROWS_WITH_AS(load_run(path), doctest::Contains("w.safetensors"), DataError);
}

TEST_CASE("run folders without weights, or that are none, are named") {
  const ScratchFolder folder;
  CHECK_THROWS_WITH_AS(load_run(folder.path()), doctest::Contains("not a run folder"), DataError);
  RunDirectory(folder.path()).create(toy_config());
  CHECK_THROWS_WITH_AS(load_run(folder.path()), doctest::Contains("no model.safetensors yet"), DataError);
}

TEST_CASE("checkpoints are found by step, oldest first, and pruned") {
  const ScratchFolder folder;
  const RunDirectory run(folder / "run");
  run.create(toy_config());
  CHECK(run.checkpoints().empty());
  for (const std::int64_t step : {9, 100000000, 11, 1000})
    write_file_atomically(run.checkpoint_file(step), "");
  for (const char* other :
       {"step-.safetensors", "step-12", "step-1x.safetensors", ".step-00000099.safetensors.7.0.tmp"}) {
    std::ofstream(folder / "run" / "checkpoints" / other) << "";
  }
  REQUIRE(run.checkpoints().size() == 4);
  CHECK(run.checkpoints().front() == run.checkpoint_file(9));
  CHECK(run.checkpoints().back() == run.checkpoint_file(100000000));
  run.prune(2);
  CHECK(run.checkpoints() ==
        std::vector<fs::path>{run.checkpoint_file(1000), run.checkpoint_file(100000000)});
  CHECK(!fs::exists(folder / "run" / "checkpoints" / ".step-00000099.safetensors.7.0.tmp"));
  CHECK(fs::exists(folder / "run" / "checkpoints" / "step-12"));
  run.prune(0);  // the newest always stays
  CHECK(run.checkpoints().size() == 1);
}

TEST_CASE("a run folder is neither overwritten nor resumed with other settings") {
  const ScratchFolder folder;
  const RunDirectory run(folder / "run");
  Config config = toy_config();
  CHECK_THROWS_WITH_AS(run.reopen(config), doctest::Contains("no run to resume"), ConfigError);
  run.create(config);
  CHECK_THROWS_WITH_AS(run.create(config), doctest::Contains("continue it with --resume or choose another"),
                       ConfigError);

  config.train.workers = 4;  // steers the process, not the result
  config.train.max_steps = 10;
  run.reopen(config);
  CHECK(run.read_config().train.workers == 4);

  config.optimizer.lr = 0.25;
  config.mix.add = 0.5;
  CHECK_THROWS_WITH_AS(run.reopen(config), doctest::Contains("optimizer.lr: 0.1 -> 0.25"), ConfigError);
  CHECK(differing_keys(run.read_config(), config).size() == 2);
}
