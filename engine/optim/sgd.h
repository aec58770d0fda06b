// Stochastic gradient descent with momentum.
#pragma once

#include "engine/optim/optimizer.h"

namespace noisymix {

struct SgdOptions {
  double momentum = 0.9;
  bool nesterov = false;    ///< needs momentum > 0 and no dampening
  double weight_decay = 0;  ///< acts on every parameter, biases and batch norm included
  double dampening = 0;
};

/// g <- g + weight_decay w;  v <- momentum v + (1 - dampening) g, at a parameter's first step v <- g;
/// w <- w - lr v, or w - lr (g + momentum v) with nesterov, or w - lr g without momentum.
class Sgd final : public Optimizer {
 public:
  /// Throws ConfigError when an option is out of range.
  explicit Sgd(Named parameters, const SgdOptions& options = {});

 private:
  void apply(Sweep& sweep, double learning_rate) override;
  std::vector<std::byte> packed_rate(double learning_rate, std::int64_t steps) const override;
  SgdOptions options_;
};

namespace cuda {
void sgd(Sweep& sweep, const SgdOptions& options, double learning_rate);
}  // namespace cuda

}  // namespace noisymix
