// Normalisation of each sample's features by themselves.
#pragma once

#include "layers/module.h"

namespace noisymix {

/// x [..., features] -> same shape, f32 parameters beside bf16 too. State: weight (1) and bias (0), both
/// [features].
class LayerNorm : public Module {
 public:
  explicit LayerNorm(std::int64_t features, double epsilon = 1e-5);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;
  void reset_parameters(Key key) override;

 private:
  double epsilon_;
  Tensor& weight_;
  Tensor& bias_;
};

}  // namespace noisymix
