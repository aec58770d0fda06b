// The training loop: builds everything from a Config, steps, evaluates, logs, checkpoints, resumes.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "tools/checkpoint.h"
#include "tools/config.h"
#include "tools/train_observer.h"

namespace noisymix {

struct TrainOptions {
  std::filesystem::path
      run;              ///< folder of the run; empty: nothing is written, TrainSummary::weights is empty
  bool resume = false;  ///< continue from the newest checkpoint in `run`
  std::function<bool()> should_stop;  ///< asked after every step; true finishes with a checkpoint
  Device device = {};                 ///< where the model is and steps are computed
};

enum class TrainEnd {
  completed,    ///< all epochs done
  step_limit,   ///< train.max_steps reached
  interrupted,  ///< should_stop said so; the command line exits with 130
};

struct TrainSummary {
  TrainEnd end = TrainEnd::completed;
  std::int64_t steps = 0;           ///< since the start of the run
  std::optional<EpochReport> last;  ///< of the last epoch finished in this call
  double best_accuracy = -1;        ///< on the test split; negative when never evaluated
  std::int64_t best_epoch = 0;      ///< epochs completed at that time
  std::filesystem::path weights;    ///< RUN/model.safetensors
};

/// A non-finite loss or gradient: names the step, the first op or layer, and what to try. Nothing was
/// updated.
class DivergedError : public Error {
 public:
  using Error::Error;
};

/// One training run. Everything random is a function of train.seed and the position alone, so a resumed run,
/// or one with other numbers of threads and workers, gives the same bits.
class Trainer {
 public:
  /// Opens the data, builds model, optimizer and loader, and creates or resumes the run folder. Throws
  /// ConfigError when the folder already holds a run (without resume) or was made with other settings (with
  /// resume).
  Trainer(const Config& config, TrainOptions options, TrainObserver& observer);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  TrainSummary run();
  Model& model();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Mean cross entropy and accuracy of the model in evaluation mode over one pass of the loader (one view per
/// example), with activations in `precision`.
TestResult test_model(Model& model, DataLoader& loader, Dtype precision = Dtype::f32);

}  // namespace noisymix
