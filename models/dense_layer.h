// Building blocks of the three DenseNets, which differ in state names, in the order of channels and in
// initial values.
#pragma once

#include <optional>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"

namespace noisymix {

/// What a DenseNet code has decided.
struct DenseStyle {
  const char* layer_norm = "bn";       ///< state names of a layer's norms are this and "1", "2"
  const char* transition_norm = "bn";  ///< state names in a transition
  const char* transition_conv = "conv";
  bool bottleneck = true;  ///< 1x1 convolution to 4 times the growth rate before the 3x3 one
  bool new_first = false;  ///< new channels stand before the old ones
  InitialValues initial;   ///< of the convolutions
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h, w, in + growth]: x joined with conv2(act(bn2(conv1(act(bn1(x)))))), or without
/// bottleneck with conv1(act(bn1(x))).
class DenseLayer : public Module {
 public:
  DenseLayer(std::int64_t in, std::int64_t growth, const DenseStyle& style);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  bool new_first_;
  BatchNorm2d bn1_;
  Conv2d conv1_;
  std::optional<BatchNorm2d> bn2_;  // with bottleneck
  std::optional<Conv2d> conv2_;
};

/// x [n, h, w, in] -> [n, h / 2, w / 2, out]: norm, activation, 1x1 convolution, 2x2 average.
class DenseTransition : public Module {
 public:
  DenseTransition(std::int64_t in, std::int64_t out, const DenseStyle& style);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  BatchNorm2d norm_;
  Conv2d conv_;
};

}  // namespace noisymix
