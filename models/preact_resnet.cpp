#include "models/preact_resnet.h"

#include "engine/autograd.h"
#include "engine/ops/pool.h"
#include "models/channels.h"

namespace noisymix {
namespace {

/// Two blocks; only the first changes the shape.
void add_blocks(Sequential& stage, std::int64_t in, std::int64_t out, std::int64_t stride,
                const PreActOptions& options, std::vector<PreActBlock*>& blocks) {
  blocks.push_back(&stage.emplace<PreActBlock>(in, out, stride, options));
  blocks.push_back(&stage.emplace<PreActBlock>(out, out, 1, options));
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
  return conv2_.plus(conv1_.then(bn2_, a, context), shortcut_(carried, context));
}

Tensor PreActBlock::from_activated(const Tensor& a, const Context& context) {
  return conv2_.plus(conv1_.then(bn2_, a, context), shortcut_(a, context));
}

Tensor PreActBlock::from_activated(const Tensor& a, BatchNorm2d& next, const Context& context) {
  return conv2_.then(next, conv1_.then(bn2_, a, context), context, shortcut_(a, context));
}

PreActResNet18::PreActResNet18(std::int64_t inputs, std::int64_t classes, double width,
                               const PreActOptions& options)
    : carries_activated_(options.shortcut == PreActShortcut::activated),
      conv1_(inputs, scaled_channels(64, width), 3, Conv2dOptions::square(1, 1), /*bias=*/false),
      linear_(scaled_channels(512, width), classes) {
  register_module("conv1", conv1_);
  register_module("layer1", layer1_);
  register_module("layer2", layer2_);
  register_module("layer3", layer3_);
  register_module("layer4", layer4_);
  if (options.final_bn)
    register_module(
        "bn", bn_.emplace(scaled_channels(512, width), BatchNorm2dOptions{.activation = options.activation}));
  register_module("linear", linear_);
  add_blocks(layer1_, scaled_channels(64, width), scaled_channels(64, width), 1, options, blocks_);
  add_blocks(layer2_, scaled_channels(64, width), scaled_channels(128, width), 2, options, blocks_);
  add_blocks(layer3_, scaled_channels(128, width), scaled_channels(256, width), 2, options, blocks_);
  add_blocks(layer4_, scaled_channels(256, width), scaled_channels(512, width), 2, options, blocks_);
}

Tensor PreActResNet18::forward(const Tensor& x, const Context& context) {
  if (!context.training && !context.stage_hook && NoGrad::active() && carries_activated_)
    return fused(x, context);
  Tensor y = conv1_(context.at_stage(0, x), context);
  y = context.at_stage(1, layer1_(y, context));
  y = context.at_stage(2, layer2_(y, context));
  y = context.at_stage(3, layer3_(y, context));
  y = layer4_(y, context);
  return classify(bn_ ? (*bn_)(y, context) : y, context);
}

Tensor PreActResNet18::fused(const Tensor& x, const Context& context) {
  Tensor a = conv1_.then(blocks_.front()->norm(), x, context);
  for (std::size_t i = 0; i + 1 < blocks_.size(); ++i)
    a = blocks_[i]->from_activated(a, blocks_[i + 1]->norm(), context);
  PreActBlock& last = *blocks_.back();
  return classify(bn_ ? last.from_activated(a, *bn_, context) : last.from_activated(a, context), context);
}

Tensor PreActResNet18::classify(const Tensor& y, const Context& context) {
  return linear_(global_avg_pool2d(y), context);
}

}  // namespace noisymix
