#include "models/densenet_imagenet.h"

#include <numeric>

#include "layers/max_pool2d.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

// Children of `features` in front of the first dense block: conv0, norm0, pool0.
constexpr std::size_t kStem = 3;
// Four divisions of both sides by two round up, then three down.
constexpr std::int64_t kSmallest = 29;

DenseStyle torchvision_style(ActivationKind activation) {
  DenseStyle style;
  style.layer_norm = style.transition_norm = "norm";
  style.initial.weight = WeightInit::he_fan_in;
  style.activation = activation;
  return style;
}

}  // namespace

ImageNetDenseNet::ImageNetDenseNet(const ImageNetDenseNetOptions& options)
    : dense_blocks_(options.blocks.size()) {
  const DenseStyle style = torchvision_style(options.activation);
  std::int64_t channels = 2 * options.growth;
  conv0_ = &features_.emplace_named<Conv2d>("conv0", options.inputs, channels, 7, Conv2dOptions::square(2, 3),
                                            /*bias=*/false, style.initial);
  const BatchNorm2dOptions norm{.activation = options.activation};
  norm0_ = &features_.emplace_named<BatchNorm2d>("norm0", channels, norm);
  features_.emplace_named<MaxPool2d>("pool0", Pool2dOptions::square(3, 2, 1));
  for (std::size_t i = 0; i < dense_blocks_; ++i) {
    Sequential& block = features_.emplace_named<Sequential>("denseblock" + std::to_string(i + 1));
    for (int layer = 1; layer <= options.blocks[i]; ++layer, channels += options.growth)
      block.emplace_named<DenseLayer>("denselayer" + std::to_string(layer), channels, options.growth, style);
    if (i + 1 == dense_blocks_) break;
    features_.emplace_named<DenseTransition>("transition" + std::to_string(i + 1), channels, channels / 2,
                                             style);
    channels /= 2;
  }
  features_.emplace_named<BatchNorm2d>("norm" + std::to_string(dense_blocks_ + 1), channels, norm);
  classifier_ = std::make_unique<Linear>(channels, options.classes, /*bias=*/true,
                                         InitialValues{WeightInit::fan_in_uniform, /*zero_bias=*/true});
  register_module("features", features_);
  register_module("classifier", *classifier_);
}

std::vector<int> ImageNetDenseNet::stages() const {
  std::vector<int> result(dense_blocks_);
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::vector<std::string> ImageNetDenseNet::stage_ends() const {
  std::vector<std::string> result;
  for (std::size_t i = 1; i < dense_blocks_; ++i) result.push_back("features.transition" + std::to_string(i));
  result.push_back("features.denseblock" + std::to_string(dense_blocks_));
  return result;
}

Tensor ImageNetDenseNet::forward(const Tensor& x, const Context& context) {
  check_image_input("densenet121", x, kSmallest);
  Tensor y = conv0_->then(*norm0_, context.at_stage(0, x), context);
  y = features_[kStem - 1](y, context);  // max-pooling
  std::size_t next = kStem;
  for (std::size_t i = 1; i < dense_blocks_; ++i, next += 2)
    y = context.at_stage(static_cast<int>(i), features_.run(y, context, next, next + 2));
  y = features_.run(y, context, next, features_.size());
  return (*classifier_)(global_avg_pool2d(y), context);
}

}  // namespace noisymix
