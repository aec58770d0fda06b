#include "layers/activation.h"

#include "engine/ops/elementwise.h"

namespace noisymix {

ActivationKind parse_activation(const std::string& text) {
  if (text == "relu") return ActivationKind::relu;
  if (text == "gelu") return ActivationKind::gelu;
  fail<ConfigError>("unknown activation '", text, "', expected relu or gelu");
}

Tensor activate(ActivationKind kind, const Tensor& x) {
  switch (kind) {
    case ActivationKind::identity:
      return x;
    case ActivationKind::relu:
      return relu(x);
    case ActivationKind::gelu:
      return gelu(x);
    case ActivationKind::gelu_sigmoid:
      return gelu_sigmoid(x);
  }
  fail<InternalError>("unknown activation");
}

Tensor Activation::forward(const Tensor& x, const Context&) {
  return activate(kind_, x);
}

}  // namespace noisymix
