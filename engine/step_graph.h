// A sequence of GPU work that is recorded once and replayed with one call: a whole training step.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/device.h"

namespace noisymix {

/// Numbers that a replay needs anew, by the name under which the kernels asked for them (see
/// cuda/step_values.h).
using StepValue = std::pair<std::string, std::vector<std::byte>>;

/// Memory that graphs share which never run at the same time.
class StepGraphMemory {
 public:
  explicit StepGraphMemory(Device device);
  ~StepGraphMemory();
  StepGraphMemory(const StepGraphMemory&) = delete;
  StepGraphMemory& operator=(const StepGraphMemory&) = delete;

 private:
  friend class StepGraph;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class StepGraph {
 public:
  /// Whether steps on this device can be recorded: GPUs only.
  static bool available(Device device);

  /// Records what `body` starts on the device, without running it. `body` must not wait for the device nor
  /// read from it. Everything it allocates and keeps stays at its place. Throws DeviceError when it does what
  /// cannot be recorded.
  StepGraph(StepGraphMemory& memory, const std::function<void()>& body);
  ~StepGraph();
  StepGraph(const StepGraph&) = delete;
  StepGraph& operator=(const StepGraph&) = delete;

  /// Names of the values that a replay needs, in the order in which the kernels asked for them.
  std::vector<std::string> names() const;
  /// Starts the recorded work with these values; throws InternalError when they are not those of names().
  void replay(const std::vector<StepValue>& values);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace noisymix
