#include "models/dense_layer.h"

#include <string>

#include "engine/ops/concat.h"
#include "engine/ops/pool.h"

namespace noisymix {
namespace {

constexpr std::int64_t kBottleneck = 4;  // its channels, as a multiple of the growth rate

}  // namespace

DenseLayer::DenseLayer(std::int64_t in, std::int64_t growth, const DenseStyle& style)
    : new_first_(style.new_first),
      bn1_(in, {.activation = style.activation}),
      conv1_(in, style.bottleneck ? kBottleneck * growth : growth, style.bottleneck ? 1 : 3,
             Conv2dOptions::square(1, style.bottleneck ? 0 : 1), /*bias=*/false, style.initial) {
  const std::string norm = style.layer_norm;
  register_module(norm + "1", bn1_);
  register_module("conv1", conv1_);
  if (!style.bottleneck) return;
  bn2_.emplace(kBottleneck * growth, BatchNorm2dOptions{.activation = style.activation});
  conv2_.emplace(kBottleneck * growth, growth, 3, Conv2dOptions::square(1, 1), /*bias=*/false, style.initial);
  register_module(norm + "2", *bn2_);
  register_module("conv2", *conv2_);
}

Tensor DenseLayer::forward(const Tensor& x, const Context& context) {
  const Tensor a = bn1_(x, context);  // the norms activate their result
  const Tensor fresh = conv2_ ? (*conv2_)(conv1_.then(*bn2_, a, context), context) : conv1_(a, context);
  return new_first_ ? concat({fresh, x}, -1) : concat({x, fresh}, -1);
}

DenseTransition::DenseTransition(std::int64_t in, std::int64_t out, const DenseStyle& style)
    : norm_(in, {.activation = style.activation}), conv_(in, out, 1, {}, /*bias=*/false, style.initial) {
  register_module(style.transition_norm, norm_);
  register_module(style.transition_conv, conv_);
}

Tensor DenseTransition::forward(const Tensor& x, const Context& context) {
  return avg_pool2d(conv_(norm_(x, context), context), Pool2dOptions::square(2, 2));
}

}  // namespace noisymix
