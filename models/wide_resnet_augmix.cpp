#include "models/wide_resnet_augmix.h"

#include "engine/ops/pool.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr InitialValues kHe{WeightInit::he_fan_out, /*zero_bias=*/true};

Conv2d conv_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride) {
  return {in, out, kernel, Conv2dOptions::square(stride, kernel / 2), /*bias=*/false, kHe};
}

}  // namespace

AugMixWideBlock::AugMixWideBlock(std::int64_t in, std::int64_t out, std::int64_t stride,
                                 const AugMixWideResNetOptions& options)
    : bn1_(in, {.activation = options.activation}),
      conv1_(conv_of(in, out, 3, stride)),
      bn2_(out, {.activation = options.activation}),
      dropout_(options.dropout),
      conv2_(conv_of(out, out, 3, 1)) {
  register_module("bn1", bn1_);
  register_module("conv1", conv1_);
  register_module("bn2", bn2_);
  register_module("dropout", dropout_);
  register_module("conv2", conv2_);
  if (in == out) return;
  conv_shortcut_.emplace(in, out, 1, Conv2dOptions::square(stride, 0), /*bias=*/false, kHe);
  register_module("conv_shortcut", *conv_shortcut_);
}

Tensor AugMixWideBlock::forward(const Tensor& x, const Context& context) {
  const Tensor a = bn1_(x, context);  // the norms activate their result
  const Tensor hidden = dropout_(conv1_.then(bn2_, a, context), context);
  return conv2_.plus(hidden, conv_shortcut_ ? (*conv_shortcut_)(a, context) : x);
}

AugMixWideResNet::AugMixWideResNet(const AugMixWideResNetOptions& options)
    : conv1_(conv_of(options.inputs, 16, 3, 1)),
      bn1_(64 * options.width, {.activation = options.activation}),
      fc_(64 * options.width, options.classes, /*bias=*/true, {WeightInit::fan_in_uniform, true}) {
  NM_CHECK_AS(ConfigError, options.depth >= 10 && options.depth % 6 == 4, "[wide resnet] depth ",
              options.depth, " is not 6 n + 4 with n >= 1 blocks per stage (10, 16, 22, 28, ...)");
  register_module("conv1", conv1_);
  std::int64_t in = 16;
  for (std::size_t stage = 0; stage < blocks_.size(); ++stage) {
    const std::int64_t out = (std::int64_t{16} << stage) * options.width;
    Sequential& layer = blocks_[stage].emplace_named<Sequential>("layer");
    for (std::int64_t i = 0; i < (options.depth - 4) / 6; ++i, in = out)
      layer.emplace<AugMixWideBlock>(in, out, stage > 0 && i == 0 ? 2 : 1, options);
    register_module("block" + std::to_string(stage + 1), blocks_[stage]);
  }
  register_module("bn1", bn1_);
  register_module("fc", fc_);
}

Tensor AugMixWideResNet::forward(const Tensor& x, const Context& context) {
  check_image_input("wide resnet", x, 1);
  Tensor y = conv1_(context.at_stage(0, x), context);
  for (std::size_t stage = 0; stage < blocks_.size(); ++stage)
    y = context.at_stage(static_cast<int>(stage) + 1, blocks_[stage](y, context));
  return fc_(global_avg_pool2d(bn1_(y, context)), context);
}

}  // namespace noisymix
