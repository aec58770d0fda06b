// Explains a training step whose loss or gradients are not finite.
#pragma once

#include <filesystem>
#include <string>

#include "tools/scheme.h"

namespace noisymix {

/// The step in question: enough to compute it again.
struct FailedStep {
  Model& model;
  Objective& objective;
  const Batch& batch;
  Key key;                           ///< the step's key
  std::int64_t step = 0, epoch = 0;  ///< from 0
  double lr = 0;
  std::filesystem::path last_checkpoint;  ///< empty when there is none
};

/// Replays the step's forward pass under a FiniteCheck and throws DivergedError naming the first op and layer
/// whose result is not finite.
[[noreturn]] void explain_loss(const FailedStep& failed, double loss);

/// Throws DivergedError naming the first parameter whose gradient is not finite; does nothing when all are.
void check_gradients(const FailedStep& failed);

/// Throws DivergedError for a gradient that was not finite, but is when it is computed again.
[[noreturn]] void fail_unrepeatable(const FailedStep& failed);

}  // namespace noisymix
