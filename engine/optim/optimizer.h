// Base of the optimizers: named parameters in, one update of all of them per step, named state for
// checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "engine/step_graph.h"
#include "engine/tensor.h"

namespace noisymix {

/// What one step does to one parameter: the weight is changed in place, using its gradient and the
/// optimizer's memory of it (tensors of its shape). `steps` counts this parameter's updates, this one
/// included.
struct ParameterUpdate {
  Tensor weight, grad;
  std::vector<Tensor> memory;
  std::int64_t steps = 0;
};

/// All updates of one step, on one device.
struct Sweep {
  std::vector<ParameterUpdate> updates;
  Tensor held_back;  ///< i32 []: a GPU updates nothing where it is not 0; undefined means go on
  Device device() const { return updates.front().weight.device(); }
  /// Read and written: weights and memory both ways, gradients once.
  std::size_t bytes() const {
    std::size_t total = 0;
    for (const ParameterUpdate& u : updates) total += u.weight.bytes() * (3 + 2 * u.memory.size());
    return total;
  }
};

class Optimizer {
 public:
  using Named = std::vector<std::pair<std::string, Tensor>>;

  virtual ~Optimizer() = default;
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  /// Updates every parameter that has a gradient; the others, and their state, stay as they are. With
  /// `held_back` (i32 [] on a GPU, see Sweep) the device decides.
  void step(double learning_rate, const Tensor& held_back = {});
  /// For recorded steps (see StepGraph): what the next step's kernels read anew, by name; and counting a step
  /// that was replayed instead of called, or taking one back that was held back.
  std::vector<StepValue> step_values(double learning_rate) const;
  void count_step();
  void uncount_step();
  /// Gradients of all parameters that have one.
  std::vector<Tensor> gradients() const;
  /// Forgets the gradients of all parameters.
  void clear_grads();

  const Named& parameters() const { return parameters_; }
  /// Everything step() remembers, as "<parameter>.<what>": shares the elements, so write or clone before the
  /// next step.
  Named state() const;
  /// Continues from a state(). Strict: everything missing, unexpected, doubled or misshaped is listed in one
  /// DataError and nothing is changed.
  void load_state(const Named& values);

 protected:
  /// `memory` names the tensors kept per parameter, zeros at first. Parameters must be f32 or f64, on one
  /// device, with distinct names; throws ShapeError otherwise.
  Optimizer(const char* name, Named parameters, std::vector<std::string> memory);
  virtual void apply(Sweep& sweep, double learning_rate) = 0;
  /// The bytes that apply() uploads as "learning_rate" at a parameter's step number `steps`.
  virtual std::vector<std::byte> packed_rate(double learning_rate, std::int64_t steps) const = 0;

 private:
  struct Slot {
    std::vector<Tensor> memory;
    Tensor steps;  // i64 []
  };
  const char* name_;
  Named parameters_;
  std::vector<std::string> memory_names_;
  std::vector<Slot> slots_;  // one per parameter
};

namespace cpu {

/// Calls body(update, begin, end) on fixed pieces of every parameter, in parallel; pieces are disjoint.
void for_each_piece(
    Sweep& sweep,
    const std::function<void(ParameterUpdate& update, std::int64_t begin, std::int64_t end)>& body);

}  // namespace cpu

}  // namespace noisymix
