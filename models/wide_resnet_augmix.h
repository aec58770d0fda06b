// Wide residual networks in the form of the published AugMix code, the original one of Zagoruyko and
// Komodakis.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

/// Differs from the NoisyMix form (wide_resnet.h): no biases, the stride in a block's first convolution,
/// shortcuts that change shape start at the activated input, dropout after the second norm, ordinary
/// momentum, He initial values.
struct AugMixWideResNetOptions {
  std::int64_t inputs = 3;
  std::int64_t classes = 10;
  std::int64_t depth = 40;  ///< 6 n + 4 with n blocks per stage
  std::int64_t width = 2;   ///< widen factor
  double dropout = 0;       ///< between a block's convolutions
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]: a = act(bn1(x));
/// conv2(dropout(act(bn2(conv1(a))))) + x, or + conv_shortcut(a), a 1x1 convolution, where the width changes.
class AugMixWideBlock : public Module {
 public:
  AugMixWideBlock(std::int64_t in, std::int64_t out, std::int64_t stride,
                  const AugMixWideResNetOptions& options);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  BatchNorm2d bn1_;
  Conv2d conv1_;
  BatchNorm2d bn2_;
  Dropout dropout_;
  Conv2d conv2_;
  std::optional<Conv2d> conv_shortcut_;
};

/// Images [n, h, w, inputs] -> logits [n, classes]. Three stages with 16, 32 and 64 times `width` channels;
/// the last two halve height and width. Mixing is possible at the input and after each stage, on the raw
/// residual sums.
class AugMixWideResNet : public Model {
 public:
  explicit AugMixWideResNet(const AugMixWideResNetOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2, 3}; }
  std::string head() const override { return "fc"; }
  std::vector<std::string> stage_ends() const override { return {"block1", "block2", "block3"}; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Conv2d conv1_;
  std::array<Sequential, 3> blocks_;  // each holds one child "layer", the blocks in a row
  BatchNorm2d bn1_;
  Linear fc_;
};

}  // namespace noisymix
