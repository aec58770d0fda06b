#include "models/preact_resnet.h"

#include <algorithm>
#include <cmath>

#include "engine/ops/pool.h"

namespace noisymix {
namespace {

std::int64_t scaled(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

/// Two blocks; only the first changes the shape.
void add_blocks(Sequential& stage, std::int64_t in, std::int64_t out, std::int64_t stride,
                const PreActOptions& options) {
  stage.emplace<PreActBlock>(in, out, stride, options);
  stage.emplace<PreActBlock>(out, out, 1, options);
}

}  // namespace

PreActBlock::PreActBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const PreActOptions& options)
    : shortcut_kind_(options.shortcut),
      bn1_(in, {.activation = options.activation}),
      conv1_(in, out, 3, Conv2dOptions::square(stride, 1), /*bias=*/false),
      bn2_(out, {.activation = options.activation}),
      conv2_(out, out, 3, Conv2dOptions::square(1, 1), /*bias=*/false) {
  register_module("bn1", bn1_);
  register_module("conv1", conv1_);
  register_module("bn2", bn2_);
  register_module("conv2", conv2_);
  register_module("shortcut", shortcut_);
  if (stride != 1 || in != out)
    shortcut_.emplace<Conv2d>(in, out, 1, Conv2dOptions::square(stride, 0), /*bias=*/false);
}

Tensor PreActBlock::forward(const Tensor& x, const Context& context) {
  const Tensor a = bn1_(x, context);  // the norms activate their result
  const bool projected = shortcut_.size() > 0;
  const Tensor& carried = projected || shortcut_kind_ == PreActShortcut::activated ? a : x;
  const Tensor hidden = bn2_(conv1_(a, context), context);
  return conv2_.plus(hidden, shortcut_(carried, context));
}

PreActResNet18::PreActResNet18(std::int64_t inputs, std::int64_t classes, double width,
                               const PreActOptions& options)
    : conv1_(inputs, scaled(64, width), 3, Conv2dOptions::square(1, 1), /*bias=*/false),
      linear_(scaled(512, width), classes) {
  register_module("conv1", conv1_);
  register_module("layer1", layer1_);
  register_module("layer2", layer2_);
  register_module("layer3", layer3_);
  register_module("layer4", layer4_);
  if (options.final_bn)
    register_module("bn",
                    bn_.emplace(scaled(512, width), BatchNorm2dOptions{.activation = options.activation}));
  register_module("linear", linear_);
  add_blocks(layer1_, scaled(64, width), scaled(64, width), 1, options);
  add_blocks(layer2_, scaled(64, width), scaled(128, width), 2, options);
  add_blocks(layer3_, scaled(128, width), scaled(256, width), 2, options);
  add_blocks(layer4_, scaled(256, width), scaled(512, width), 2, options);
}

Tensor PreActResNet18::forward(const Tensor& x, const Context& context) {
  Tensor y = conv1_(context.at_stage(0, x), context);
  y = context.at_stage(1, layer1_(y, context));
  y = context.at_stage(2, layer2_(y, context));
  y = context.at_stage(3, layer3_(y, context));
  y = layer4_(y, context);
  if (bn_) y = (*bn_)(y, context);
  return linear_(global_avg_pool2d(y), context);
}

}  // namespace noisymix
