// How a training step is carried out: op by op, or recorded once on a GPU and replayed with one call.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "engine/optim/optimizer.h"
#include "tools/scheme.h"

namespace noisymix {

/// What a step belongs to.
struct StepSettings {
  Key key;
  double lr = 0;
  std::int64_t step = 0, epoch = 0;       ///< from 0, for messages
  std::filesystem::path last_checkpoint;  ///< for messages; empty when there is none
};

struct StepOutcome {
  double loss = 0;
  StepStats stats;
};

/// Everything a step works on; outlives the runner. Model and optimizer are on one device.
struct StepParts {
  Model& model;
  Objective& objective;
  Optimizer& optimizer;
  Device device;
  Dtype precision = Dtype::f32;  ///< of the activations
};

class StepRunner {
 public:
  virtual ~StepRunner() = default;
  /// Forward pass, backward pass, update. The batch may be on any device and in f32. Throws DivergedError
  /// when the loss or a gradient is not finite; the weights are then those from before the step.
  virtual StepOutcome run(const Batch& batch, const StepSettings& settings) = 0;
};

/// Op by op: works everywhere and says most about errors.
std::unique_ptr<StepRunner> make_eager_runner(const StepParts& parts);

/// Records a step the second time it has a new structure (stage that is mixed, batch size) and replays it
/// from then on. The same results as op by op. What cannot be recorded runs op by op; `notice` is told the
/// reason once.
std::unique_ptr<StepRunner> make_graph_runner(const StepParts& parts,
                                              std::function<void(const std::string&)> notice = {});

}  // namespace noisymix
