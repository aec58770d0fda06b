// Nonlinearities chosen by an option of the model.
#pragma once

#include <string>

#include "layers/module.h"

namespace noisymix {

enum class ActivationKind {
  identity,
  relu,
  gelu,          ///< x Phi(x), the exact one
  gelu_sigmoid,  ///< x sigmoid(1.702 x); part of AllConv, not a choice of the user
};

/// "relu" or "gelu" (the exact one); anything else is a ConfigError.
ActivationKind parse_activation(const std::string& text);

Tensor activate(ActivationKind kind, const Tensor& x);

/// The same as a module, for containers.
class Activation : public Module {
 public:
  explicit Activation(ActivationKind kind) : kind_(kind) {}

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  ActivationKind kind_;
};

}  // namespace noisymix
