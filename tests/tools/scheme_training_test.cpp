// Whole runs of the schemes that do more than plain steps: the same bits for any number of threads and
// workers, and after a stop in the middle of an epoch.
#include <doctest/doctest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/cpu/parallel.h"
#include "tests/scratch_folder.h"
#include "tests/tools/small_runs.h"
#include "tools/trainer.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Config plain_pictures() {
  Config config = pictures_run();
  config.views = {};
  config.mix = {};
  config.objective = {};
  config.data.train_limit = 12;  // the last batch is smaller
  config.data.test_limit = 8;
  config.train.batch = 8;
  config.train.epochs = 2;
  return config;
}

using Change = std::function<void(Config&)>;

void added_copies(Config& config, const char* kind, int copies) {
  config.perturb.kind = kind;
  config.perturb.copies = copies;
  config.perturb.iterations = 2;
  config.perturb.consistency = "kl";
  config.objective.separate_forwards = true;
}

const std::vector<std::pair<std::string, Change>>& schemes() {
  static const std::vector<std::pair<std::string, Change>> all = {
      {"DiGN", [](Config& c) { added_copies(c, "gaussian", 3); }},
      {"TRADES",
       [](Config& c) {
         added_copies(c, "pgd", 1);
         c.perturb.attack = "kl";
         c.perturb.start = "normal";
       }},
      {"PGD, Euclidean",
       [](Config& c) {
         c.perturb.kind = "pgd";
         c.perturb.keep_clean = false;
         c.perturb.norm = "l2";
         c.perturb.start = "random";
         c.perturb.iterations = 2;
       }},
      {"free",
       [](Config& c) {
         c.perturb.kind = "free";
         c.train.replays = 4;
         c.train.epochs = 1;
       }},
      {"AugMax",
       [](Config& c) {
         c.views.kind = "augmax";
         c.perturb.kind = "augmax";
         c.perturb.iterations = 2;
         c.objective.consistency = "jensen_shannon";
       }},
      {"Noise2Net", [](Config& c) { c.perturb.kind = "noise2net"; }},
      {"RSE",
       [](Config& c) {
         c.perturb.kind = "gaussian";
         c.perturb.keep_clean = false;
         c.perturb.noise_law = "fixed";
         c.ensemble.copies = 3;
       }},
      {"CutMix",
       [](Config& c) {
         c.mix.mix = true;
         c.input_mix.kind = "cutmix";
         c.input_mix.probability = 0.7;
       }},
      {"PuzzleMix",
       [](Config& c) {
         c.mix.mix = true;
         c.input_mix.kind = "puzzlemix";
       }},
      {"AutoAugment", [](Config& c) { c.views.policy = "cifar"; }},
      {"jitter", [](Config& c) { c.views.jitter = 0.25, c.views.rotation = 2; }},
  };
  return all;
}

TrainSummary train(const Config& config, const std::filesystem::path& run, bool resume = false) {
  TrainObserver nobody;
  return Trainer(config, {run, resume, {}}, nobody).run();
}

}  // namespace

TEST_CASE("every scheme gives the same bits on other threads and workers, and after a stop") {
  const int threads = cpu::threads();
  for (const auto& scheme : schemes()) {
    CAPTURE(scheme.first);
    const ScratchFolder folder;
    Config config = plain_pictures();
    scheme.second(config);
    config.train.workers = 0;
    cpu::set_threads(1);
    const TrainSummary whole = train(config, folder / "whole");
    CHECK(whole.end == TrainEnd::completed);
    CHECK(whole.steps >= 4);
    cpu::set_threads(3);
    Config limited = config;
    limited.train.workers = 2;
    limited.train.max_steps = 3;  // inside an epoch, and with "free" inside the replays of a batch
    CHECK(train(limited, folder / "parts").end == TrainEnd::step_limit);
    Config rest = limited;
    rest.train.max_steps = 0;
    CHECK(train(rest, folder / "parts", true).end == TrainEnd::completed);
    CHECK(file_bytes(folder / "parts" / "model.safetensors") ==
          file_bytes(folder / "whole" / "model.safetensors"));
    CHECK(comparable_metrics(folder / "parts") == comparable_metrics(folder / "whole"));
  }
  cpu::set_threads(threads);
}
