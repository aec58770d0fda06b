#include "models/densenet.h"

#include <cmath>
#include <numeric>

#include "engine/ops/pool.h"
#include "models/image_input.h"

namespace noisymix {

DenseNet::DenseNet(const DenseNetOptions& options)
    : head_name_(options.head),
      conv1_(options.inputs, 2 * options.growth, 3, Conv2dOptions::square(1, 1), /*bias=*/false,
             options.style.initial) {
  register_module("conv1", conv1_);
  std::int64_t channels = 2 * options.growth;
  for (std::size_t i = 0; i < options.blocks.size(); ++i) {
    const std::string number = std::to_string(i + 1);
    dense_.push_back(std::make_unique<Sequential>());
    for (int layer = 0; layer < options.blocks[i]; ++layer, channels += options.growth)
      dense_.back()->emplace<DenseLayer>(channels, options.growth, options.style);
    register_module("dense" + number, *dense_.back());
    if (i + 1 == options.blocks.size()) break;
    const auto out =
        static_cast<std::int64_t>(std::floor(static_cast<double>(channels) * options.compression));
    transitions_.push_back(std::make_unique<DenseTransition>(channels, out, options.style));
    register_module("trans" + number, *transitions_.back());
    channels = out;
  }
  norm_ = std::make_unique<BatchNorm2d>(channels, BatchNorm2dOptions{.activation = options.style.activation});
  head_ = std::make_unique<Linear>(channels, options.classes, /*bias=*/true, options.head_initial);
  register_module(options.last_norm, *norm_);
  register_module(head_name_, *head_);
}

std::vector<int> DenseNet::stages() const {
  std::vector<int> result(dense_.size());
  std::iota(result.begin(), result.end(), 0);
  return result;
}

std::vector<std::string> DenseNet::stage_ends() const {
  std::vector<std::string> result;
  for (std::size_t i = 1; i < dense_.size(); ++i) result.push_back("trans" + std::to_string(i));
  result.push_back("dense" + std::to_string(dense_.size()));
  return result;
}

Tensor DenseNet::forward(const Tensor& x, const Context& context) {
  check_image_input("densenet", x, std::int64_t{1} << transitions_.size());
  Tensor y = conv1_(context.at_stage(0, x), context);
  for (std::size_t i = 0; i < transitions_.size(); ++i) {
    y = (*transitions_[i])((*dense_[i])(y, context), context);
    y = context.at_stage(static_cast<int>(i) + 1, y);
  }
  y = (*norm_)((*dense_.back())(y, context), context);
  return (*head_)(global_avg_pool2d(y), context);
}

DenseNetOptions densenet121_cifar_options() {
  DenseNetOptions options;
  options.style.new_first = true;
  return options;
}

DenseNetOptions densenet40_options() {
  DenseNetOptions options;
  options.blocks = {12, 12, 12};
  options.compression = 1;
  options.style.transition_norm = "bn1";
  options.style.transition_conv = "conv1";
  options.style.bottleneck = false;
  options.style.initial.weight = WeightInit::he_fan_out;
  options.last_norm = "bn1";
  options.head = "fc";
  options.head_initial.zero_bias = true;
  return options;
}

}  // namespace noisymix
