#include <doctest/doctest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "engine/ops/random.h"
#include "models/registry.h"
#include "tests/check_device.h"
#include "tools/memory_advice.h"
#include "tools/step_runner.h"
#include "tools/trainer.h"
#include "tools/training_setup.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

/// A narrow network that trains on a few random images with the whole NoisyMix scheme.
struct Training {
  std::unique_ptr<Model> model;
  std::unique_ptr<Objective> objective;
  std::unique_ptr<Optimizer> optimizer;
  std::unique_ptr<StepRunner> runner;
  Batch batch;
  std::vector<std::string> notices;
  double lr = 0.05;

  Training(const std::string& arch, Device device, Dtype precision, bool recorded,
           const std::string& kind = "sgd") {
    ModelOptions options;
    if (arch == "wrn") {
      options.depth = 10;
      options.width = 1;
      options.dropout = 0.3;
    } else {
      options.width = 1.0 / 16;
    }
    model = make_model(arch, options, Key(1));
    if (precision == Dtype::f64) model->to(Dtype::f64);
    model->to(device);
    ObjectiveConfig config;
    config.consistency = "jensen_shannon";
    FeatureMixOptions mix;
    mix.mix = true;
    mix.alpha = 1;
    mix.add = mix.mult = 0.5;
    mix.sparse = 0.65;
    mix.layers = {0, 2};  // two structures, so that a few steps record and replay both
    objective = make_objective(config, mix);
    OptimizerConfig optimizing;
    optimizing.name = kind;
    optimizer = make_optimizer(optimizing, model->parameters());
    const StepParts parts{*model, *objective, *optimizer, device, precision};
    runner = recorded ? make_graph_runner(parts, [this](const std::string& text) { notices.push_back(text); })
                      : make_eager_runner(parts);
    batch.images = random_normal({3 * 2, 8, 8, 3}, Key(2));
    batch.labels = Tensor::from<std::int64_t>({1, 7}, {2});
    batch.views = 3;
  }

  double step(int i) {
    return runner
        ->run(batch, {.key = Key(3).child(i), .lr = lr, .step = i, .epoch = 0, .last_checkpoint = {}})
        .loss;
  }
  std::vector<Tensor> state() const {
    std::vector<Tensor> tensors;
    for (const auto& [name, tensor] : model->state()) tensors.push_back(tensor.to(Device{}));
    for (const auto& [name, tensor] : optimizer->state()) tensors.push_back(tensor.to(Device{}));
    return tensors;
  }
};

}  // namespace

TEST_CASE("cuda: training in f64 follows the CPU's") {
  const auto device = gpu();
  if (!device) return;
  for (const char* arch : {"preactresnet18", "wrn"}) {
    CAPTURE(arch);
    Training here(arch, Device{}, Dtype::f64, false), there(arch, *device, Dtype::f64, false);
    for (int i = 0; i < 2; ++i) {
      const double want = here.step(i), got = there.step(i);
      CHECK(std::abs(got - want) <=
            1e-5 * std::abs(want));  // noise is drawn in f32, its logarithm may round differently
    }
    const auto want = here.state(), got = there.state();
    for (std::size_t i = 0; i < want.size(); ++i)
      CHECK(relative_error(got[i].to(Dtype::f64), want[i].to(Dtype::f64)) < 1e-4);
  }
}

TEST_CASE("cuda: recorded steps give the same bits as steps op by op") {
  const auto device = gpu();
  if (!device) return;
  struct Kind {
    const char *arch, *optimizer;
    Dtype precision;
  };
  for (const Kind& kind : {Kind{"preactresnet18", "sgd", Dtype::bf16}, Kind{"wrn", "adamw", Dtype::f32}}) {
    CAPTURE(kind.arch);
    Training eager(kind.arch, *device, kind.precision, false, kind.optimizer);
    Training recorded(kind.arch, *device, kind.precision, true, kind.optimizer);
    for (int i = 0; i < 9; ++i) {
      CAPTURE(i);
      eager.lr = recorded.lr = 0.05 / (1 + i);
      CHECK(recorded.step(i) == eager.step(i));
    }
    CHECK(recorded.notices.empty());
    const auto want = eager.state(), got = recorded.state();
    REQUIRE(got.size() == want.size());
    for (std::size_t i = 0; i < want.size(); ++i) CHECK(same_bits(got[i], want[i]));
  }
}

TEST_CASE("cuda: a step that diverges leaves the weights as they were") {
  const auto device = gpu();
  if (!device) return;
  for (const bool recorded : {false, true}) {
    Training training("preactresnet18", *device, Dtype::f32, recorded);
    for (int i = 0; i < (recorded ? 6 : 1); ++i) training.step(i);
    const auto before = training.model->parameters();
    Tensor weight = before.front().second;
    const Tensor good = weight.clone();
    std::vector<float> bad = good.to_vector<float>();
    bad[0] = NAN;
    weight.copy_from(Tensor::from(bad, good.shape()));
    std::vector<Tensor> others;
    for (std::size_t i = 1; i < before.size(); ++i) others.push_back(before[i].second.clone());
    for (int i = 0; i < (recorded ? 3 : 1); ++i) CHECK_THROWS_AS(training.step(i), DivergedError);
    for (std::size_t i = 1; i < before.size(); ++i)
      CHECK(same_bits(before[i].second.to(Device{}), others[i - 1].to(Device{})));
    weight.copy_from(good);
    CHECK(all_finite(before.back().second));
  }
}

#ifdef NOISYMIX_CUDA_EMULATED
TEST_CASE("cuda: out of memory names a batch that should fit") {
  const auto device = gpu();
  if (!device) return;
  Training training("preactresnet18", *device, Dtype::f32, false);
  training.step(0);
  Batch large;
  large.images = Tensor::zeros({3 * 16384, 8, 8, 3});
  large.labels = Tensor::zeros({16384}, Dtype::i64);
  large.views = 3;
  const StepParts parts{*training.model, *training.objective, *training.optimizer, *device, Dtype::f32};
  CHECK(batch_that_fits(parts, training.batch).empty());  // a batch of two is as small as it gets
  Backend& backend = backend_of(*device);
  backend.trim();
  const std::int64_t limit = backend.memory().reserved + (std::int64_t{24} << 20);
  setenv("NOISYMIX_EMULATED_MEMORY", std::to_string(limit).c_str(), 1);
  const std::string advice = batch_that_fits(parts, large);
  CAPTURE(advice);
  CHECK(advice.rfind("; train.batch = ", 0) == 0);
  CHECK(advice.find(" should fit") != std::string::npos);
  try {
    training.runner->run(large, {.key = Key(3), .lr = 0.1, .step = 1, .epoch = 0, .last_checkpoint = {}});
    FAIL("no error");
  } catch (const OutOfMemoryError& error) {
    CHECK(std::string(error.what()).find("out of memory: need ") != std::string::npos);
  }
  unsetenv("NOISYMIX_EMULATED_MEMORY");
  CHECK(std::isfinite(training.step(2)));  // the device works on
}
#endif
