// Wide residual networks (WRN-depth-width) in the form of the published NoisyMix code.
#pragma once

#include <vector>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

/// The NoisyMix form differs from the original Wide-ResNet: biased convolutions, the stride in a block's
/// second convolution, shortcuts from the raw input, dropout 0.1 and a last batch norm with momentum 0.9.
struct WideResNetOptions {
  std::int64_t inputs = 3;
  std::int64_t classes = 10;
  std::int64_t depth = 28;  ///< 6 n + 4 with n blocks per stage
  std::int64_t width = 4;   ///< widen factor
  double dropout = 0.1;     ///< between a block's convolutions
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]:
/// conv2(relu(bn2(dropout(conv1(relu(bn1(x))))))) + shortcut(x), shortcut.0 a biased 1x1 convolution where
/// the shape changes.
class WideBlock : public Module {
 public:
  WideBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const WideResNetOptions& options);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  BatchNorm2d bn1_;
  Conv2d conv1_;
  Dropout dropout_;
  BatchNorm2d bn2_;
  Conv2d conv2_;
  Sequential shortcut_;  // empty where the shape stays
};

/// Images [n, h, w, inputs] -> logits [n, classes]. Three stages with 16, 32 and 64 times `width` channels;
/// the last two halve height and width. Mixing is possible at the input and after each stage, on the raw
/// residual sums.
class WideResNet : public Model {
 public:
  explicit WideResNet(const WideResNetOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2, 3}; }
  std::string head() const override { return "linear"; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Conv2d conv1_;
  Sequential layer1_, layer2_, layer3_;
  BatchNorm2d bn1_;
  Linear linear_;
};

}  // namespace noisymix
