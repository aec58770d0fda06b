// What a forward pass needs besides its input; passed down, never global.
#pragma once

#include <functional>
#include <utility>

#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix {

/// Called by a model at each stage it announces: receives the stage number and the activation, returns what
/// flows on.
using StageHook = std::function<Tensor(int stage, const Tensor& x)>;

class Module;
/// Called with every module that ran by itself and what it returned, inner modules first. In training that is
/// each; in evaluation a convolution may take a norm's or a sum's work over.
using ModuleHook = std::function<void(const Module& module, const Tensor& output)>;

struct Context {
  bool training = false;
  Key key{0};                   ///< of this step; layers that draw use key.child(path())
  StageHook stage_hook;         ///< empty: activations pass unchanged
  ModuleHook module_hook = {};  ///< empty: nobody watches

  /// Stage 0 is the input, stage k the output of the model's k-th stage.
  Tensor at_stage(int stage, const Tensor& x) const { return stage_hook ? stage_hook(stage, x) : x; }

  static Context evaluation() { return {}; }
};

}  // namespace noisymix
