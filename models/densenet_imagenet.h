// DenseNet-121 for ImageNet, with torchvision's state names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/linear.h"
#include "layers/sequential.h"
#include "models/dense_layer.h"
#include "models/registry.h"

namespace noisymix {

struct ImageNetDenseNetOptions {
  std::int64_t inputs = 3, classes = 10;
  std::int64_t growth = 32;                ///< channels that each layer adds; the stem has twice as many
  std::vector<int> blocks{6, 12, 24, 16};  ///< layers per dense block
  ActivationKind activation = ActivationKind::relu;
};

/// Images [n, h, w, inputs] -> logits [n, classes]: 7x7 convolution with stride 2, 3x3 max-pooling with
/// stride 2, dense blocks with transitions that halve channels, height and width, norm, activation, global
/// average, linear map. Needs images of at least 29 x 29. Mixing is possible at the input and after each
/// transition.
class ImageNetDenseNet : public Model {
 public:
  explicit ImageNetDenseNet(const ImageNetDenseNetOptions& options);

  std::vector<int> stages() const override;
  std::string head() const override { return "classifier"; }
  std::vector<std::string> stage_ends() const override;

 protected:
  Tensor forward(const Tensor& x, const Context& context) override;

 private:
  Sequential features_;  // conv0, norm0, pool0, denseblock1, transition1, denseblock2, ..., norm5
  Conv2d* conv0_;
  BatchNorm2d* norm0_;
  std::size_t dense_blocks_;
  std::unique_ptr<Linear> classifier_;
};

}  // namespace noisymix
