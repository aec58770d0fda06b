// Adam and AdamW: steps scaled by running moments of the gradient.
#pragma once

#include "engine/optim/optimizer.h"

namespace noisymix {

struct AdamOptions {
  double beta1 = 0.9, beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decoupled =
      false;             ///< AdamW: shrink the weight itself instead of adding weight_decay w to the gradient
  bool amsgrad = false;  ///< divide by the largest second moment so far
};

/// m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2;  w <- w - lr m' / (sqrt(v') + epsilon),
/// where m' and v' are divided by 1 - beta^t at a parameter's t-th step. Decoupled decay first does w <- w -
/// lr weight_decay w.
class Adam final : public Optimizer {
 public:
  /// Throws ConfigError when an option is out of range.
  explicit Adam(Named parameters, const AdamOptions& options = {});

 private:
  void apply(Sweep& sweep, double learning_rate) override;
  std::vector<std::byte> packed_rate(double learning_rate, std::int64_t steps) const override;
  AdamOptions options_;
};

/// What depends on a parameter's step number: the moments' bias towards their start at 0 is divided out.
struct AdamRate {
  double rate;       ///< learning rate / (1 - beta1^steps)
  double root_bias;  ///< sqrt(1 - beta2^steps)
  double learning_rate;
  AdamRate(const AdamOptions& options, double learning_rate, std::int64_t steps);
};

namespace cuda {
void adam(Sweep& sweep, const AdamOptions& options, double learning_rate);
}  // namespace cuda

}  // namespace noisymix
