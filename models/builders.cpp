#include "models/builders.h"

#include <algorithm>
#include <cmath>

#include "models/alexnet.h"
#include "models/allconv.h"
#include "models/densenet.h"
#include "models/densenet_imagenet.h"
#include "models/preact_resnet.h"
#include "models/resnet.h"
#include "models/resnext.h"
#include "models/toy_mlp.h"
#include "models/vit_lite.h"
#include "models/wide_resnet.h"
#include "models/wide_resnet_augmix.h"

namespace noisymix::builders {
namespace {

double width_or(const ModelOptions& options, double width) {
  return options.width > 0 ? options.width : width;
}

std::int64_t whole_width_or(const ModelOptions& options, double width) {
  const double factor = width_or(options, width);
  NM_CHECK_AS(ConfigError, factor == std::floor(factor), "[model] wrn needs a whole width, got ", factor);
  return static_cast<std::int64_t>(factor);
}

/// Input channels and classes, which every network's options have.
template <typename Options>
void set_ends(Options& target, const ModelOptions& options) {
  if (options.inputs > 0) target.inputs = options.inputs;
  target.classes = options.classes;
}

ModelPointer resnet(ResNetOptions network, const ModelOptions& options, double width) {
  set_ends(network, options);
  network.width = width_or(options, width);
  network.activation = parse_activation(options.activation);
  return std::make_unique<ResNet>(network);
}

ModelPointer densenet(DenseNetOptions network, const ModelOptions& options) {
  set_ends(network, options);
  if (options.growth > 0) network.growth = options.growth;
  network.style.activation = parse_activation(options.activation);
  return std::make_unique<DenseNet>(network);
}

/// Both forms of wide networks.
template <typename Network, typename Options>
ModelPointer wide(const ModelOptions& options, std::int64_t depth, double width) {
  Options network;
  set_ends(network, options);
  network.depth = options.depth != 0 ? options.depth : depth;
  network.width = whole_width_or(options, width);
  if (options.dropout >= 0) network.dropout = options.dropout;
  network.activation = parse_activation(options.activation);
  return std::make_unique<Network>(network);
}

}  // namespace

ModelPointer preact_resnet(const ModelOptions& options, double width) {
  PreActOptions preact;
  const bool known = options.shortcut.empty() || options.shortcut == "activated" || options.shortcut == "raw";
  NM_CHECK_AS(ConfigError, known, "[model] unknown shortcut '", options.shortcut,
              "', expected activated or raw");
  preact.shortcut = options.shortcut == "raw" ? PreActShortcut::raw : PreActShortcut::activated;
  preact.final_bn = options.final_bn;
  preact.activation = parse_activation(options.activation);
  return std::make_unique<PreActResNet18>(options.inputs > 0 ? options.inputs : 3, options.classes,
                                          width_or(options, width), preact);
}

ModelPointer wide_resnet(const ModelOptions& options, std::int64_t depth, double width) {
  return wide<WideResNet, WideResNetOptions>(options, depth, width);
}

ModelPointer augmix_wide_resnet(const ModelOptions& options, std::int64_t depth, double width) {
  return wide<AugMixWideResNet, AugMixWideResNetOptions>(options, depth, width);
}

ModelPointer resnet18_cifar(const ModelOptions& options, double width) {
  ResNetOptions network = resnet18_cifar_options();
  const bool known = options.stem.empty() || options.stem == "3x3" || options.stem == "7x7";
  NM_CHECK_AS(ConfigError, known, "[model] unknown stem '", options.stem, "', expected 3x3 or 7x7");
  if (options.stem == "7x7") network.stem = ResNetStem::conv7;
  return resnet(network, options, width);
}

ModelPointer resnet18(const ModelOptions& options) {
  return resnet(resnet18_options(), options, 1);
}

ModelPointer resnet50(const ModelOptions& options) {
  return resnet(resnet50_options(), options, 1);
}

ModelPointer resnext29(const ModelOptions& options) {
  ResNextOptions network;
  set_ends(network, options);
  network.width = width_or(options, network.width);
  network.activation = parse_activation(options.activation);
  return std::make_unique<ResNext>(network);
}

ModelPointer densenet121_cifar(const ModelOptions& options) {
  return densenet(densenet121_cifar_options(), options);
}

ModelPointer densenet40(const ModelOptions& options) {
  return densenet(densenet40_options(), options);
}

ModelPointer densenet121(const ModelOptions& options) {
  ImageNetDenseNetOptions network;
  set_ends(network, options);
  if (options.growth > 0) network.growth = options.growth;
  network.activation = parse_activation(options.activation);
  return std::make_unique<ImageNetDenseNet>(network);
}

ModelPointer vit_lite(const ModelOptions& options) {
  VitLiteOptions network;
  set_ends(network, options);
  if (options.width > 0)
    network.features = std::llround(static_cast<double>(network.features) * options.width);
  if (options.image_size > 0) network.image_size = options.image_size;
  if (options.patch > 0) network.patch = options.patch;
  if (options.dropout >= 0) network.attention_dropout = options.dropout;
  if (options.drop_path >= 0) network.drop_path = options.drop_path;
  return std::make_unique<VitLite>(network);
}

ModelPointer allconv(const ModelOptions& options) {
  AllConvOptions network;
  set_ends(network, options);
  network.width = width_or(options, network.width);
  if (options.dropout >= 0) network.dropout = options.dropout;
  return std::make_unique<AllConv>(network);
}

ModelPointer alexnet(const ModelOptions& options) {
  AlexNetOptions network;
  set_ends(network, options);
  network.width = width_or(options, network.width);
  if (options.dropout >= 0) network.dropout = options.dropout;
  return std::make_unique<AlexNet>(network);
}

ModelPointer toy_mlp(const ModelOptions& options, std::int64_t hidden_layers, int mix_layers) {
  ToyMlpOptions toy;
  set_ends(toy, options);
  toy.hidden_layers = hidden_layers;
  toy.mix_layers = mix_layers;
  if (options.width > 0) toy.units = std::max<std::int64_t>(1, std::llround(32 * options.width));
  if (options.dropout >= 0) toy.dropout = options.dropout;
  toy.activation = parse_activation(options.activation);
  return std::make_unique<ToyMlp>(toy);
}

}  // namespace noisymix::builders
