#include "models/allconv.h"

#include "layers/activation.h"
#include "layers/batch_norm2d.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/max_pool2d.h"
#include "models/channels.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr std::size_t kStage1 = 11,
                      kStage2 = 22;     // children of `features` up to the first and second dropout
constexpr std::int64_t kWindow = 8;     // of the last average
constexpr std::int64_t kSmallest = 24;  // 24 / 4 - 2 + 2 + 2 = kWindow

void add_unit(Sequential& features, std::int64_t in, std::int64_t out, std::int64_t kernel,
              std::int64_t padding) {
  features.emplace<Conv2d>(in, out, kernel, Conv2dOptions::square(1, padding), /*bias=*/true,
                           InitialValues{WeightInit::he_fan_out});
  features.emplace<BatchNorm2d>(out);
  features.emplace<Activation>(ActivationKind::gelu_sigmoid);
}

/// Three 3x3 convolutions, then pooling and dropout.
void add_stage(Sequential& features, std::int64_t in, std::int64_t out, double dropout) {
  add_unit(features, in, out, 3, 1);
  add_unit(features, out, out, 3, 1);
  add_unit(features, out, out, 3, 1);
  features.emplace<MaxPool2d>(Pool2dOptions::square(2, 2));
  features.emplace<Dropout>(dropout);
}

}  // namespace

AllConv::AllConv(const AllConvOptions& options)
    : classifier_(scaled_channels(192, options.width), options.classes, /*bias=*/true,
                  {WeightInit::fan_in_uniform, /*zero_bias=*/true}) {
  const std::int64_t narrow = scaled_channels(96, options.width), wide = scaled_channels(192, options.width);
  add_stage(features_, options.inputs, narrow, options.dropout);
  add_stage(features_, narrow, wide, options.dropout);
  add_unit(features_, wide, wide, 3, 0);
  add_unit(features_, wide, wide, 1, 1);
  add_unit(features_, wide, wide, 1, 1);
  register_module("features", features_);
  register_module("classifier", classifier_);
}

Tensor AllConv::forward(const Tensor& x, const Context& context) {
  check_image_input("allconv", x, kSmallest);
  Tensor y = features_.run(context.at_stage(0, x), context, 0, kStage1);
  y = features_.run(context.at_stage(1, y), context, kStage1, kStage2);
  y = features_.run(context.at_stage(2, y), context, kStage2, features_.size());
  y = avg_pool2d(y, Pool2dOptions::square(kWindow, kWindow));
  return classifier_(global_avg_pool2d(y), context);  // of one window at 32 x 32
}

}  // namespace noisymix
