#include "models/resnext.h"

#include "engine/ops/elementwise.h"
#include "engine/ops/pool.h"
#include "models/channels.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr InitialValues kHe{WeightInit::he_fan_out, /*zero_bias=*/true};

Conv2d conv_of(std::int64_t in, std::int64_t out, std::int64_t kernel, std::int64_t stride = 1,
               std::int64_t groups = 1) {
  Conv2dOptions options = Conv2dOptions::square(stride, kernel / 2);
  options.groups = groups;
  return {in, out, kernel, options, /*bias=*/false, kHe};
}

}  // namespace

ResNextBlock::ResNextBlock(std::int64_t in, std::int64_t inner, std::int64_t out, std::int64_t stride,
                           const ResNextOptions& options)
    : activation_(options.activation),
      conv_reduce_(conv_of(in, inner, 1)),
      bn_reduce_(inner, {.activation = options.activation}),
      conv_conv_(conv_of(inner, inner, 3, stride, options.cardinality)),
      bn_(inner, {.activation = options.activation}),
      conv_expand_(conv_of(inner, out, 1)),
      bn_expand_(out) {
  register_module("conv_reduce", conv_reduce_);
  register_module("bn_reduce", bn_reduce_);
  register_module("conv_conv", conv_conv_);
  register_module("bn", bn_);
  register_module("conv_expand", conv_expand_);
  register_module("bn_expand", bn_expand_);
  if (stride != 1 || in != out) register_module("downsample", downsample_.emplace(in, out, stride, kHe));
}

Tensor ResNextBlock::forward(const Tensor& x, const Context& context) {
  const Tensor narrow = conv_reduce_.then(bn_reduce_, x, context);  // the norms activate their result
  const Tensor hidden = conv_conv_.then(bn_, narrow, context);
  const Tensor branch = conv_expand_.then(bn_expand_, hidden, context);
  return activate(activation_, branch + (downsample_ ? (*downsample_)(x, context) : x));
}

ResNext::ResNext(const ResNextOptions& options)
    : conv_1_3x3_(conv_of(options.inputs, scaled_channels(64, options.width), 3)),
      bn_1_(scaled_channels(64, options.width), {.activation = options.activation}),
      classifier_(scaled_channels(1024, options.width), options.classes, /*bias=*/true,
                  {WeightInit::he_fan_in, true}) {
  register_module("conv_1_3x3", conv_1_3x3_);
  register_module("bn_1", bn_1_);
  std::int64_t in = scaled_channels(64, options.width);
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    const std::int64_t group = scaled_channels(options.base_width << stage, options.width);
    const std::int64_t out = scaled_channels(std::int64_t{256} << stage, options.width);
    for (std::int64_t block = 0; block < options.blocks; ++block, in = out)
      stages_[stage].emplace<ResNextBlock>(in, group * options.cardinality, out,
                                           stage > 0 && block == 0 ? 2 : 1, options);
    register_module("stage_" + std::to_string(stage + 1), stages_[stage]);
  }
  register_module("classifier", classifier_);
}

Tensor ResNext::forward(const Tensor& x, const Context& context) {
  check_image_input("resnext", x, 1);
  Tensor y = conv_1_3x3_.then(bn_1_, context.at_stage(0, x), context);
  for (std::size_t stage = 0; stage < stages_.size(); ++stage) {
    y = stages_[stage](y, context);
    if (stage + 1 < stages_.size()) y = context.at_stage(static_cast<int>(stage) + 1, y);
  }
  return classifier_(global_avg_pool2d(y), context);
}

}  // namespace noisymix
