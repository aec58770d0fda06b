// What a training run tells the outside while it goes on. The library never prints; observers do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tools/scheme.h"

namespace noisymix {

/// Known before the first step.
struct TrainStart {
  std::string model, train_data, test_data;
  std::string device = {};  ///< what the backend calls itself
  std::int64_t parameters = 0;
  std::int64_t epochs = 0, steps_per_epoch = 0;
  std::int64_t first_step = 0;  ///< greater than 0 when resumed
};

struct StepReport {
  std::int64_t epoch = 0;   ///< from 0
  std::int64_t batch = 0;   ///< within the epoch, from 0
  std::int64_t step = 0;    ///< since the start of the run, from 0
  std::int64_t images = 0;  ///< examples in this step, not counting their views
  double loss = 0, lr = 0, seconds = 0;
  StepStats stats = {};
};

struct TestResult {
  double loss = 0, accuracy = 0;  ///< mean cross entropy; fraction in [0, 1]
};

struct EpochReport {
  std::int64_t epoch = 0, step = 0;  ///< epochs and steps completed
  double train_loss = 0, train_accuracy = 0;
  std::optional<TestResult> test = {};  ///< absent when this epoch was not evaluated
  bool best = false;                    ///< whether the test accuracy is the best so far
  double lr = 0, seconds = 0, images_per_second = 0;
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void started(const TrainStart&) {}
  virtual void step_done(const StepReport&) {}
  virtual void epoch_done(const EpochReport&) {}
  virtual void checkpoint_written(const std::filesystem::path&) {}
  /// Something worth knowing that is no error; one line.
  virtual void notice(const std::string&) {}
  /// Called when the loop ends for any reason, errors included, so that a drawn line can be finished.
  virtual void stopped() {}
};

}  // namespace noisymix
