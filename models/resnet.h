// Post-activation residual networks: the 32 x 32 forms of the published DiGN code and the ImageNet forms.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/projection.h"
#include "models/registry.h"

namespace noisymix {

/// What stands before the first stage, always without bias and followed by a batch norm and the activation.
enum class ResNetStem {
  conv3,       ///< 3x3, stride 1: CIFAR
  conv7,       ///< 7x7, stride 2, no pooling: Tiny-ImageNet in the DiGN code
  conv7_pool,  ///< 7x7, stride 2, then 3x3 max-pooling with stride 2: ImageNet
};

struct ResNetOptions {
  std::int64_t inputs = 3, classes = 10;
  double width = 1;  ///< factor on 64, 128, 256 and 512 channels
  std::array<int, 4> blocks{2, 2, 2, 2};
  bool bottleneck = false;
  ResNetStem stem = ResNetStem::conv3;
  InitialValues initial;              ///< of the convolutions
  std::string shortcut = "shortcut";  ///< state name of the projections
  std::string head = "linear";        ///< state name of the last layer
  ActivationKind activation = ActivationKind::relu;
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, out]:
/// act(bn2(conv2(act(bn1(conv1(x))))) + shortcut(x)), two 3x3 convolutions, the first with the stride.
class BasicBlock : public Module {
 public:
  BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const ResNetOptions& options);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  ActivationKind activation_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  std::optional<Projection> shortcut_;  // where the shape changes
};

/// x [n, h, w, in] -> [n, h / stride, w / stride, 4 planes]: 1x1 to `planes`, 3x3 with the stride, 1x1 to
/// 4 planes, each with a batch norm, plus shortcut(x), activation after the sum.
class BottleneckBlock : public Module {
 public:
  BottleneckBlock(std::int64_t in, std::int64_t planes, std::int64_t stride, const ResNetOptions& options);

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  ActivationKind activation_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  Conv2d conv2_;
  BatchNorm2d bn2_;
  Conv2d conv3_;
  BatchNorm2d bn3_;
  std::optional<Projection> shortcut_;
};

/// Images [n, h, w, inputs] -> logits [n, classes]: stem, layer1 .. layer4 (the last three with stride 2),
/// global average, linear map. Mixing is possible at the input and after layer1 .. layer3.
class ResNet : public Model {
 public:
  explicit ResNet(const ResNetOptions& options);

  std::vector<int> stages() const override { return {0, 1, 2, 3}; }
  std::string head() const override { return head_name_; }
  std::vector<std::string> stage_ends() const override { return {"layer1", "layer2", "layer3", "layer4"}; }

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  bool pools_;  // after the stem
  std::string head_name_;
  Conv2d conv1_;
  BatchNorm2d bn1_;
  std::array<Sequential, 4> layers_;
  Linear head_;
};

/// ResNet-18 in the form of the DiGN code, DiGN's Wide-ResNet-18 with width 5.
ResNetOptions resnet18_cifar_options();
/// ResNet-18 and ResNet-50 as for ImageNet, with torchvision's state names and He initial values.
ResNetOptions resnet18_options();
ResNetOptions resnet50_options();

}  // namespace noisymix
