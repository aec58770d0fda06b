#include "models/wide_resnet.h"

#include "engine/ops/pool.h"

namespace noisymix {
namespace {

constexpr double kLastMomentum =
    0.9;  // NoisyMix code: running <- 0.1 running + 0.9 batch in the last batch norm only

/// n blocks; only the first changes the shape.
void add_blocks(Sequential& stage, std::int64_t in, std::int64_t out, std::int64_t stride,
                const WideResNetOptions& options) {
  const std::int64_t blocks = (options.depth - 4) / 6;
  for (std::int64_t i = 0; i < blocks; ++i)
    stage.emplace<WideBlock>(i == 0 ? in : out, out, i == 0 ? stride : 1, options);
}

}  // namespace

WideBlock::WideBlock(std::int64_t in, std::int64_t out, std::int64_t stride, const WideResNetOptions& options)
    : bn1_(in, {.activation = options.activation}),
      conv1_(in, out, 3, Conv2dOptions::square(1, 1)),
      dropout_(options.dropout),
      bn2_(out, {.activation = options.activation}),
      conv2_(out, out, 3, Conv2dOptions::square(stride, 1)) {
  register_module("bn1", bn1_);
  register_module("conv1", conv1_);
  register_module("dropout", dropout_);
  register_module("bn2", bn2_);
  register_module("conv2", conv2_);
  register_module("shortcut", shortcut_);
  if (stride != 1 || in != out) shortcut_.emplace<Conv2d>(in, out, 1, Conv2dOptions::square(stride, 0));
}

Tensor WideBlock::forward(const Tensor& x, const Context& context) {
  const Tensor a = bn1_(x, context);  // the norms activate their result
  const Tensor hidden =
      context.training ? bn2_(dropout_(conv1_(a, context), context), context) : conv1_.then(bn2_, a, context);
  return conv2_.plus(hidden, shortcut_(x, context));
}

WideResNet::WideResNet(const WideResNetOptions& options)
    : conv1_(options.inputs, 16, 3, Conv2dOptions::square(1, 1)),
      bn1_(64 * options.width, {.momentum = kLastMomentum, .activation = options.activation}),
      linear_(64 * options.width, options.classes) {
  NM_CHECK_AS(ConfigError, options.depth >= 10 && options.depth % 6 == 4, "[wide resnet] depth ",
              options.depth, " is not 6 n + 4 with n >= 1 blocks per stage (10, 16, 22, 28, ...)");
  register_module("conv1", conv1_);
  register_module("layer1", layer1_);
  register_module("layer2", layer2_);
  register_module("layer3", layer3_);
  register_module("bn1", bn1_);
  register_module("linear", linear_);
  add_blocks(layer1_, 16, 16 * options.width, 1, options);
  add_blocks(layer2_, 16 * options.width, 32 * options.width, 2, options);
  add_blocks(layer3_, 32 * options.width, 64 * options.width, 2, options);
}

Tensor WideResNet::forward(const Tensor& x, const Context& context) {
  Tensor y = conv1_(context.at_stage(0, x), context);
  y = context.at_stage(1, layer1_(y, context));
  y = context.at_stage(2, layer2_(y, context));
  y = context.at_stage(3, layer3_(y, context));
  return linear_(global_avg_pool2d(bn1_(y, context)), context);
}

}  // namespace noisymix
