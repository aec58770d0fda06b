// What a network costs: parameters, arithmetic and memory per example, measured on a pass of two examples.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/registry.h"

namespace noisymix {

/// A module at the depth asked for, or a shallower one without modules of its own.
struct ModuleCosts {
  std::string path;
  std::int64_t parameters = 0;
  std::vector<std::int64_t> output;  ///< of one example, height x width x channels; empty when not seen
  double flops = 0;                  ///< per example
};

struct ModelCosts {
  std::int64_t parameters = 0;
  std::int64_t weight_bytes = 0;      ///< parameters and buffers
  double flops = 0;                   ///< of one example's forward pass: products, a multiply-add counts as 2
  std::int64_t activation_bytes = 0;  ///< that a training step keeps per example for its backward pass, f32
  std::vector<ModuleCosts> modules;   ///< those with parameters, in the order of the state
};

/// Runs the network once as in training, so that running statistics change. `sample_shape` is {height,
/// width, channels} or {features}; `depth` counts the parts of a module's path. Throws ShapeError when the
/// network does not take such examples.
ModelCosts measure_costs(Model& model, const std::vector<std::int64_t>& sample_shape, int depth = 1);

}  // namespace noisymix
