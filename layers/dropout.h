// Dropout whose mask depends only on the step's key and on where the layer sits.
#pragma once

#include "layers/module.h"

namespace noisymix {

/// Training: each element is 0 with probability p, else x / (1 - p), drawn from context.key.child(path()), so
/// that no other layer's draws move when one is added. Evaluation: x. No state.
class Dropout : public Module {
 public:
  explicit Dropout(double p);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  bool draws() const override { return p_ > 0; }

 private:
  double p_;
};

}  // namespace noisymix
