// Stochastic depth: a residual branch that is left out for some examples of a batch.
#pragma once

#include "layers/module.h"

namespace noisymix {

/// Training: each example (first axis) is 0 with probability p, else x / (1 - p), drawn from
/// context.key.child(path()). Evaluation: x. No state.
class DropPath : public Module {
 public:
  explicit DropPath(double p);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  bool draws() const override { return p_ > 0; }

 private:
  double p_;
};

}  // namespace noisymix
