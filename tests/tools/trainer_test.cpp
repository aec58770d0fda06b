#include "tools/trainer.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "tests/scratch_folder.h"
#include "tests/tools/same_state.h"
#include "tests/tools/small_runs.h"
#include "tools/divergence.h"
#include "tools/run_directory.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

namespace fs = std::filesystem;

class Recorder : public TrainObserver {
 public:
  void step_done(const StepReport& report) override { steps.push_back(report); }
  void epoch_done(const EpochReport& report) override { epochs.push_back(report); }
  std::vector<StepReport> steps;
  std::vector<EpochReport> epochs;
};

TrainSummary train(const Config& config, const fs::path& run, bool resume = false,
                   const std::function<bool()>& should_stop = {}) {
  TrainObserver nobody;
  return Trainer(config, {run, resume, should_stop}, nobody).run();
}

/// Restores the pool's size.
class Threads {
 public:
  explicit Threads(int count) : before_(cpu::threads()) { cpu::set_threads(count); }
  ~Threads() { cpu::set_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

}  // namespace

TEST_CASE("points on circles are learned") {
  const ScratchFolder folder;
  Config config = circles_run();
  config.mix = {};
  config.train.epochs = 30;
  Recorder recorder;
  const TrainSummary summary = Trainer(config, {folder / "run", false, {}}, recorder).run();
  CHECK(summary.end == TrainEnd::completed);
  CHECK(summary.steps == 30 * 6);
  REQUIRE(recorder.epochs.size() == 30);
  CHECK(recorder.epochs.back().train_accuracy > 0.85);
  REQUIRE(recorder.epochs.back().test.has_value());
  CHECK(recorder.epochs.back().test->accuracy > 0.85);
  CHECK(summary.best_accuracy >= recorder.epochs.back().test->accuracy);
}

TEST_CASE("the loss on a few pictures falls under the full NoisyMix scheme") {
  const ScratchFolder folder;
  Config config = pictures_run();
  config.train.epochs = 8;
  config.train.eval_every = 8;
  Recorder recorder;
  Trainer(config, {folder / "run", false, {}}, recorder).run();
  REQUIRE(recorder.epochs.size() == 8);
  CHECK(recorder.epochs.back().train_loss < 0.9 * recorder.epochs.front().train_loss);
  CHECK(!recorder.epochs.front().test.has_value());
  CHECK(recorder.epochs.back().test.has_value());
}

TEST_CASE("the same seed gives the same bits on any number of threads and workers") {
  const ScratchFolder folder;
  Config config = pictures_run();
  config.train.max_steps = 50;
  config.train.epochs = 10;
  config.train.eval_every = 10;
  std::string first;
  for (const auto& machine : {std::pair{1, 1}, std::pair{2, 4}, std::pair{4, 1}}) {
    const int threads = machine.first, workers = machine.second;
    CAPTURE(threads);
    const Threads pool(threads);
    config.train.workers = workers;
    const fs::path run = folder / ("run" + std::to_string(threads));
    CHECK(train(config, run).end == TrainEnd::step_limit);
    const std::string bytes = file_bytes(run / "model.safetensors");
    if (first.empty()) first = bytes;
    CHECK(bytes == first);
  }
  config.train.seed += 1;
  train(config, folder / "other");
  CHECK(file_bytes(folder / "other" / "model.safetensors") != first);
}

TEST_CASE(
    "bf16 training keeps f32 weights, learns like f32, and gives the same bits on any number of threads") {
  const ScratchFolder folder;
  Config config = pictures_run();
  config.train.epochs = 3;
  const TrainSummary wide = train(config, folder / "f32");
  config.train.precision = "bf16";
  TrainSummary half;
  for (const int threads : {1, 2, 4}) {
    const Threads pool(threads);
    const fs::path run = folder / ("bf16-" + std::to_string(threads));
    half = train(config, run);
    CHECK(file_bytes(run / "model.safetensors") == file_bytes(folder / "bf16-1" / "model.safetensors"));
  }
  REQUIRE(wide.last.has_value());
  REQUIRE(half.last.has_value());
  CHECK(half.last->train_loss == doctest::Approx(wide.last->train_loss).epsilon(0.02));
  for (const auto& entry : load_checkpoint(RunDirectory(folder / "bf16-1").checkpoints().back()).model)
    CHECK_MESSAGE(entry.second.dtype() != Dtype::bf16, entry.first);

  Config limited = config;
  limited.train.max_steps = 11;
  train(limited, folder / "stopped");
  CHECK(train(config, folder / "stopped", true).end == TrainEnd::completed);
  CHECK(file_bytes(folder / "stopped" / "model.safetensors") ==
        file_bytes(folder / "bf16-1" / "model.safetensors"));
}

TEST_CASE("a stopped and resumed run equals one that never stopped") {
  const ScratchFolder folder;
  const Config config = circles_run();
  train(config, folder / "whole");
  const auto metrics = comparable_metrics(folder / "whole");
  for (const std::int64_t stop :
       {1, 5, 6, 7, 23, 24}) {  // six steps an epoch: inside, at the end, at the start
    CAPTURE(stop);
    const fs::path run = folder / ("run" + std::to_string(stop));
    Config limited = config;
    limited.train.max_steps = stop;
    const TrainSummary summary = train(limited, run);
    CHECK(summary.end == (stop == 24 ? TrainEnd::completed : TrainEnd::step_limit));
    CHECK(summary.steps == stop);
    CHECK(train(config, run, true).end == TrainEnd::completed);
    CHECK(file_bytes(run / "model.safetensors") == file_bytes(folder / "whole" / "model.safetensors"));
    CHECK(file_bytes(run / "best.safetensors") == file_bytes(folder / "whole" / "best.safetensors"));
    CHECK(comparable_metrics(run) == metrics);
  }
}

TEST_CASE("resuming in the middle of an epoch of pictures keeps every bit") {
  const ScratchFolder folder;
  Config config = pictures_run();
  config.train.epochs = 2;
  train(config, folder / "whole");
  std::int64_t asked = 0;
  const TrainSummary summary = train(config, folder / "run", false, [&] { return ++asked == 7; });
  CHECK(summary.end == TrainEnd::interrupted);
  CHECK(summary.steps == 7);
  config.train.workers = 3;
  CHECK(train(config, folder / "run", true).end == TrainEnd::completed);
  CHECK(file_bytes(folder / "run" / "model.safetensors") ==
        file_bytes(folder / "whole" / "model.safetensors"));
  CHECK(comparable_metrics(folder / "run") == comparable_metrics(folder / "whole"));
}

TEST_CASE("an interrupt at the end of an epoch leaves its evaluation to the resumed run") {
  const ScratchFolder folder;
  const Config config = circles_run();
  train(config, folder / "whole");
  std::int64_t asked = 0;
  train(config, folder / "run", false, [&] { return ++asked == 6; });
  CHECK(comparable_metrics(folder / "run").back().at("kind") == "step");
  train(config, folder / "run", true);
  CHECK(comparable_metrics(folder / "run") == comparable_metrics(folder / "whole"));
}

TEST_CASE("the run folder holds settings, metrics, weights and the last checkpoints") {
  const ScratchFolder folder;
  Config config = circles_run();
  config.train.report = "best";
  config.train.checkpoint_steps = 4;
  const TrainSummary summary = train(config, folder / "run");
  const RunDirectory run(folder / "run");
  CHECK(differing_keys(run.read_config(), config).empty());
  CHECK(file_bytes(run.model_file()) == file_bytes(run.best_file()));
  CHECK(run.checkpoints() == std::vector<fs::path>{run.checkpoint_file(20), run.checkpoint_file(24)});
  const auto lines = comparable_metrics(folder / "run");
  CHECK(lines.front().at("kind") == "start");
  CHECK(lines.front().at("seed") == config.train.seed);
  CHECK(lines.back().at("kind") == "epoch");
  CHECK(lines.back().at("epoch") == 4);
  CHECK(summary.weights == run.model_file());
  const LoadedRun loaded = load_run(folder / "run");
  CHECK(loaded.card.data == "circles");
  CHECK(loaded.card.classes() == 2);
  REQUIRE(loaded.config.has_value());
  CHECK(loaded.config->train.report == "best");
}

TEST_CASE("a completed run can be resumed and stays as it is") {
  const ScratchFolder folder;
  const Config config = circles_run();
  train(config, folder / "run");
  const std::string weights = file_bytes(folder / "run" / "model.safetensors");
  const auto metrics = comparable_metrics(folder / "run");
  CHECK(train(config, folder / "run", true).end == TrainEnd::completed);
  CHECK(file_bytes(folder / "run" / "model.safetensors") == weights);
  CHECK(comparable_metrics(folder / "run") == metrics);
}

TEST_CASE("run folders in use, taken, absent or of another run are refused") {
  const ScratchFolder folder;
  Config config = circles_run();
  TrainObserver nobody;
  CHECK_THROWS_WITH_AS(train(config, folder / "run", true), doctest::Contains("no run to resume"),
                       ConfigError);
  {
    const Trainer running(config, {folder / "run", false, {}}, nobody);
    CHECK_THROWS_WITH_AS(train(config, folder / "run"), doctest::Contains("already holds a run"),
                         ConfigError);
    CHECK_THROWS_WITH_AS(train(config, folder / "run", true), doctest::Contains("another process"),
                         ConfigError);
  }
  CHECK(train(config, folder / "run", true).end == TrainEnd::completed);  // no checkpoint yet: begins again
  config.optimizer.lr *= 2;
  CHECK_THROWS_WITH_AS(train(config, folder / "run", true), doctest::Contains("optimizer.lr: "), ConfigError);
  config.train.precision = "f16";
  CHECK_THROWS_WITH_AS(train(config, folder / "new"), doctest::Contains("train.precision"), ConfigError);
  CHECK(!fs::exists(folder / "new"));
}

TEST_CASE("a diverging run stops before the update and names step, layer and remedy") {
  const ScratchFolder folder;
  Config config = circles_run();
  config.optimizer.name = "sgd";
  config.optimizer.momentum = 0;
  config.optimizer.nesterov = false;
  config.optimizer.lr = 1e25;
  config.mix = {};
  TrainObserver nobody;
  Trainer trainer(config, {folder / "run", false, {}}, nobody);
  std::string message;
  try {
    trainer.run();
  } catch (const DivergedError& error) {
    message = error.what();
  }
  CAPTURE(message);
  CHECK(message.find("training diverged at step 2 (epoch 1, lr 1e+25): the loss is") != std::string::npos);
  CHECK(message.find("in module 'fc") != std::string::npos);
  CHECK(message.find("Try a smaller optimizer.lr") != std::string::npos);
  CHECK(message.find("step-00000000.safetensors") != std::string::npos);
  for (const auto& [name, parameter] : trainer.model().parameters()) CHECK(all_finite(parameter));
  const Checkpoint good = load_checkpoint(RunDirectory(folder / "run").checkpoints().back());
  CHECK(good.position.step == 0);
}

TEST_CASE("a gradient that is not finite names its parameter") {
  ModelOptions two_classes;
  two_classes.classes = 2;
  const auto model = make_model("toy-nfm", two_classes, Key(1));
  const auto objective = make_objective({}, {});
  const Batch batch{.images = Tensor::ones({2, 2}), .labels = Tensor::zeros({2}, Dtype::i64)};
  backward(objective->loss(*model, batch, Key(2)).loss);
  const FailedStep step{*model, *objective, batch, Key(2), 7, 0, 0.1, {}};
  check_gradients(step);
  Tensor bias = model->parameters()[3].second;
  bias.set_grad(Tensor::full(bias.shape(), std::numeric_limits<double>::infinity()));
  CHECK_THROWS_WITH_AS(check_gradients(step), doctest::Contains("the first is that of fc2.bias"),
                       DivergedError);
}
