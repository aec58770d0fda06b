#include "models/alexnet.h"

#include "engine/ops/permute.h"
#include "layers/activation.h"
#include "layers/conv2d.h"
#include "layers/dropout.h"
#include "layers/max_pool2d.h"
#include "models/channels.h"
#include "models/image_input.h"

namespace noisymix {
namespace {

constexpr std::int64_t kSide = 6;       // of the pooled features
constexpr std::int64_t kSmallest = 63;  // one pixel is left after the third pooling

void add_conv(Sequential& features, std::int64_t in, std::int64_t out, std::int64_t kernel,
              std::int64_t stride, std::int64_t padding, bool pooled) {
  features.emplace<Conv2d>(in, out, kernel, Conv2dOptions::square(stride, padding));
  features.emplace<Activation>(ActivationKind::relu);
  if (pooled) features.emplace<MaxPool2d>(Pool2dOptions::square(3, 2));
}

}  // namespace

AlexNet::AlexNet(const AlexNetOptions& options) {
  const auto scaled = [&](std::int64_t channels) { return scaled_channels(channels, options.width); };
  add_conv(features_, options.inputs, scaled(64), 11, 4, 2, true);
  add_conv(features_, scaled(64), scaled(192), 5, 1, 2, true);
  add_conv(features_, scaled(192), scaled(384), 3, 1, 1, false);
  add_conv(features_, scaled(384), scaled(256), 3, 1, 1, false);
  add_conv(features_, scaled(256), scaled(256), 3, 1, 1, true);
  const std::int64_t hidden = scaled(4096);
  classifier_.emplace<Dropout>(options.dropout);
  classifier_.emplace<Linear>(scaled(256) * kSide * kSide, hidden);
  classifier_.emplace<Activation>(ActivationKind::relu);
  classifier_.emplace<Dropout>(options.dropout);
  classifier_.emplace<Linear>(hidden, hidden);
  classifier_.emplace<Activation>(ActivationKind::relu);
  classifier_.emplace<Linear>(hidden, options.classes);
  register_module("features", features_);
  register_module("classifier", classifier_);
}

Tensor AlexNet::forward(const Tensor& x, const Context& context) {
  check_image_input("alexnet", x, kSmallest);
  // Poolings are the children 2, 5 and 12, the last.
  Tensor y = features_.run(context.at_stage(0, x), context, 0, 3);
  y = features_.run(context.at_stage(1, y), context, 3, 6);
  y = context.at_stage(3, features_.run(context.at_stage(2, y), context, 6, features_.size()));
  // PyTorch flattens channels first, and the weights of the first linear map are in that order.
  y = to_channels_first(adaptive_avg_pool2d(y, kSide, kSide));
  return classifier_(y.reshape({y.dim(0), -1}), context);
}

}  // namespace noisymix
