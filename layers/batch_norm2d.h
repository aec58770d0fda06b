// Batch normalisation with its running statistics, and optionally the nonlinearity that follows it.
#pragma once

#include "engine/ops/conv2d.h"
#include "layers/activation.h"
#include "layers/module.h"

namespace noisymix {

struct BatchNorm2dOptions {
  double epsilon = 1e-5;
  double momentum = 0.1;  ///< running <- (1 - momentum) running + momentum batch
  /// Applied to the result; relu in the same pass over memory.
  ActivationKind activation = ActivationKind::identity;
};

/// x [..., c] -> same shape. Training uses and tracks batch statistics, evaluation the tracked ones. State:
/// weight (1), bias (0), running_mean (0), running_var (1), all [c], and the i64 scalar num_batches_tracked.
class BatchNorm2d : public Module {
 public:
  explicit BatchNorm2d(std::int64_t channels, const BatchNorm2dOptions& options = {});

  /// Evaluation as one factor and one addend per channel. Needs an activation of identity or relu.
  ChannelAffine affine() const;
  /// From now on training, too, normalises with the tracked statistics and leaves them as they are.
  void hold_statistics() { statistics_held_ = true; }
  bool has_affine() const {
    return options_.activation == ActivationKind::identity || options_.activation == ActivationKind::relu;
  }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  /// Also forgets the running statistics.
  void reset_parameters(Key key) override;

 private:
  BatchNorm2dOptions options_;
  bool statistics_held_ = false;
  Tensor& weight_;
  Tensor& bias_;
  Tensor& running_mean_;
  Tensor& running_var_;
  Tensor& num_batches_tracked_;
};

}  // namespace noisymix
