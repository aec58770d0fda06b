#include "models/resnet.h"

#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "models/channels.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr std::int64_t kExpansion = 4;  // of a bottleneck's channels

Conv2d conv_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride,
               const ResNetOptions& options) {
  return {in, out, kernel, Conv2dOptions::square(stride, kernel / 2), /*bias=*/false, options.initial};
}

Conv2d stem_of(const ResNetOptions& options) {
  const bool small = options.stem == ResNetStem::conv3;
  return conv_of(options.inputs, scaled_channels(64, options.width), small ? 3 : 7, small ? 1 : 2, options);
}

std::int64_t features(const ResNetOptions& options) {
  return scaled_channels(512, options.width) * (options.bottleneck ? kExpansion : 1);
}

Tensor carried(std::optional<Projection>& shortcut, const Tensor& x, const Context& context) {
  return shortcut ? (*shortcut)(x, context) : x;
}

}  // namespace

BasicBlock::BasicBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const ResNetOptions& options)
    : activation_(options.activation),
      conv1_(conv_of(in, out, 3, stride, options)),
      bn1_(out, {.activation = options.activation}),
      conv2_(conv_of(out, out, 3, 1, options)),
      bn2_(out) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  register_module("conv2", conv2_);
  register_module("bn2", bn2_);
  if (stride != 1 || in != out)
    register_module(options.shortcut, shortcut_.emplace(in, out, stride, options.initial));
}

Tensor BasicBlock::forward(const Tensor& x, const Context& context) {
  const Tensor hidden = conv1_.then(bn1_, x, context);  // the norm activates its result
  const Tensor branch = conv2_.then(bn2_, hidden, context);
  return activate(activation_, branch + carried(shortcut_, x, context));
}

BottleneckBlock::BottleneckBlock(std::int64_t in, std::int64_t planes, std::int64_t stride,
                                 const ResNetOptions& options)
    : activation_(options.activation),
      conv1_(conv_of(in, planes, 1, 1, options)),
      bn1_(planes, {.activation = options.activation}),
      conv2_(conv_of(planes, planes, 3, stride, options)),
      bn2_(planes, {.activation = options.activation}),
      conv3_(conv_of(planes, kExpansion * planes, 1, 1, options)),
      bn3_(kExpansion * planes) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  register_module("conv2", conv2_);
  register_module("bn2", bn2_);
  register_module("conv3", conv3_);
  register_module("bn3", bn3_);
  if (stride != 1 || in != kExpansion * planes)
    register_module(options.shortcut, shortcut_.emplace(in, kExpansion * planes, stride, options.initial));
}

Tensor BottleneckBlock::forward(const Tensor& x, const Context& context) {
  const Tensor narrow = conv1_.then(bn1_, x, context);
  const Tensor hidden = conv2_.then(bn2_, narrow, context);
  const Tensor branch = conv3_.then(bn3_, hidden, context);
  return activate(activation_, branch + carried(shortcut_, x, context));
}

ResNet::ResNet(const ResNetOptions& options)
    : pools_(options.stem == ResNetStem::conv7_pool),
      head_name_(options.head),
      conv1_(stem_of(options)),
      bn1_(scaled_channels(64, options.width), {.activation = options.activation}),
      head_(features(options), options.classes) {
  register_module("conv1", conv1_);
  register_module("bn1", bn1_);
  std::int64_t in = scaled_channels(64, options.width);
  for (std::size_t stage = 0; stage < layers_.size(); ++stage) {
    const std::int64_t planes = scaled_channels(std::int64_t{64} << stage, options.width);
    for (int block = 0; block < options.blocks[stage]; ++block) {
      const std::int64_t stride = stage > 0 && block == 0 ? 2 : 1;
      if (options.bottleneck)
        layers_[stage].emplace<BottleneckBlock>(in, planes, stride, options);
      else
        layers_[stage].emplace<BasicBlock>(in, planes, stride, options);
      in = planes * (options.bottleneck ? kExpansion : 1);
    }
    register_module("layer" + std::to_string(stage + 1), layers_[stage]);
  }
  register_module(head_name_, head_);
}

Tensor ResNet::forward(const Tensor& x, const Context& context) {
  check_image_input("resnet", x, 1);
  Tensor y = conv1_.then(bn1_, context.at_stage(0, x), context);
  if (pools_) y = max_pool2d(y, Pool2dOptions::square(3, 2, 1));
  for (std::size_t stage = 0; stage < layers_.size(); ++stage) {
    y = layers_[stage](y, context);
    if (stage + 1 < layers_.size()) y = context.at_stage(static_cast<int>(stage) + 1, y);
  }
  return head_(global_avg_pool2d(y), context);
}

ResNetOptions resnet18_cifar_options() {
  return {};
}

ResNetOptions resnet18_options() {
  ResNetOptions options;
  options.stem = ResNetStem::conv7_pool;
  options.initial.weight = WeightInit::he_fan_out;
  options.shortcut = "downsample";
  options.head = "fc";
  return options;
}

ResNetOptions resnet50_options() {
  ResNetOptions options = resnet18_options();
  options.blocks = {3, 4, 6, 3};
  options.bottleneck = true;
  return options;
}

}  // namespace noisymix
