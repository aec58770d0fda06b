// PreActResNet-18 for 32 x 32 images, in the form of the published NFM and NoisyMix code.
#pragma once

#include <optional>
#include <vector>

#include "layers/activation.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/registry.h"

namespace noisymix {

/// What the identity shortcut of a block carries. The papers say "preactivated ResNet-18" and leave it open;
/// the published code takes the activated input, the original manifold mixup code the raw one.
enum class PreActShortcut { activated, raw };

struct PreActOptions {
  PreActShortcut shortcut = PreActShortcut::activated;
  bool final_bn = false;  ///< batch norm and activation between the last stage and the pooling; the published
                          ///< code has none
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]:
/// a = relu(bn1(x)); conv2(relu(bn2(conv1(a)))) + shortcut. The stride is conv1's; shortcut.0 is a 1x1
/// convolution of a where the shape changes, otherwise the shortcut is a or x itself.
class PreActBlock : public Module {
 public:
  PreActBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const PreActOptions& options);

  BatchNorm2d& norm() { return bn1_; }
  /// The block from a = relu(bn1(x)) on, where its shortcut carries a; in the second form with `next`, the
  /// norm that follows the block, applied to the result.
  Tensor from_activated(const Tensor& a, const Context& context);
  Tensor from_activated(const Tensor& a, BatchNorm2d& next, const Context& context);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  PreActShortcut shortcut_kind_;
  BatchNorm2d bn1_;
  Conv2d conv1_;
  BatchNorm2d bn2_;
  Conv2d conv2_;
  Sequential shortcut_;  // empty where the shape stays
};

/// Images [n, h, w, inputs] -> logits [n, classes]. Four stages of two blocks with 64, 128, 256 and 512 times
/// `width` channels; the last three halve height and width. Mixing is possible at the input and after stages
/// 1 to 3, on the raw residual sums. No batch norm between the last sum and the pooling unless final_bn.
class PreActResNet18 : public Model {
 public:
  PreActResNet18(std::int64_t inputs, std::int64_t classes, double width, const PreActOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2, 3}; }
  std::string head() const override { return "linear"; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Tensor classify(const Tensor& y, const Context& context);
  /// Evaluation in which every batch norm is part of the convolution before it.
  Tensor fused(const Tensor& x, const Context& context);

  bool carries_activated_;            // every identity shortcut does
  std::vector<PreActBlock*> blocks_;  // of all stages
  Conv2d conv1_;
  Sequential layer1_, layer2_, layer3_, layer4_;
  std::optional<BatchNorm2d> bn_;  // with final_bn only
  Linear linear_;
};

}  // namespace noisymix
