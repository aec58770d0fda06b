#include "models/registry.h"

#include <cmath>
#include <string>

#include "engine/nearest_name.h"
#include "models/builders.h"

namespace noisymix {
namespace {

using builders::ModelPointer;

/// Which of the shared options a model has; the others must keep their defaults.
struct Accepts {
  bool width = false, depth = false, dropout = false, shortcut = false, final_bn = false;
  bool activation = true, growth = false, stem = false, drop_path = false, image_size = false, patch = false;
};

struct Row {
  const char* name;
  const char* description;
  Accepts accepts;
  ModelPointer (*build)(const ModelOptions&);
  int side = 32;  // of the images it is made for; 0 for points
};

constexpr Accepts kPreAct{.width = true, .shortcut = true, .final_bn = true};
constexpr Accepts kFixedWide{.dropout = true};
constexpr Accepts kAnyWide{.width = true, .depth = true, .dropout = true};
constexpr Accepts kCifarResNet{.width = true, .stem = true};
constexpr Accepts kWidth{.width = true};
constexpr Accepts kGrowth{.growth = true};
constexpr Accepts kVit{.width = true,
                       .dropout = true,
                       .activation = false,
                       .drop_path = true,
                       .image_size = true,
                       .patch = true};
constexpr Accepts kPlain{.width = true, .dropout = true, .activation = false};
constexpr Accepts kToy{.width = true, .dropout = true};

constexpr Row kModels[] = {
    {"preactresnet18", "pre-activation ResNet-18 for 32x32 images, 11.2 M parameters", kPreAct,
     [](const ModelOptions& o) { return builders::preact_resnet(o, 1); }},
    {"preactwideresnet18", "the same with twice the channels (NFM's Wide-ResNet-18), 44.7 M parameters",
     kPreAct, [](const ModelOptions& o) { return builders::preact_resnet(o, 2); }},
    {"wrn28-2", "Wide-ResNet 28-2 in NoisyMix form, 1.5 M parameters", kFixedWide,
     [](const ModelOptions& o) { return builders::wide_resnet(o, 28, 2); }},
    {"wrn28-4", "Wide-ResNet 28-4 in NoisyMix form, 5.9 M parameters (the published NoisyMix results)",
     kFixedWide, [](const ModelOptions& o) { return builders::wide_resnet(o, 28, 4); }},
    {"wrn28-10", "Wide-ResNet 28-10 in NoisyMix form, 36.5 M parameters", kFixedWide,
     [](const ModelOptions& o) { return builders::wide_resnet(o, 28, 10); }},
    {"wrn", "Wide-ResNet in NoisyMix form with options depth (6 n + 4) and width, 28 and 4 unless given",
     kAnyWide, [](const ModelOptions& o) { return builders::wide_resnet(o, 28, 4); }},
    {"wrn40-2-augmix", "Wide-ResNet 40-2 in AugMix form, 2.2 M parameters", kFixedWide,
     [](const ModelOptions& o) { return builders::augmix_wide_resnet(o, 40, 2); }},
    {"wrn-augmix", "Wide-ResNet in AugMix form with options depth (6 n + 4) and width, 40 and 2 unless given",
     kAnyWide, [](const ModelOptions& o) { return builders::augmix_wide_resnet(o, 40, 2); }},
    {"resnet18-cifar", "ResNet-18 of the DiGN paper for 32x32 images, 11.2 M parameters", kCifarResNet,
     [](const ModelOptions& o) { return builders::resnet18_cifar(o, 1); }},
    {"wide-resnet18", "the same with five times the channels (DiGN's Wide-ResNet-18), 279 M parameters",
     kCifarResNet, [](const ModelOptions& o) { return builders::resnet18_cifar(o, 5); }},
    {"resnet18", "ResNet-18 for ImageNet, 11.2 M parameters", kWidth, builders::resnet18, 224},
    {"resnet50", "ResNet-50 for ImageNet, 23.5 M parameters", kWidth, builders::resnet50, 224},
    {"resnext29", "ResNeXt-29 4x32d of the AugMix paper for 32x32 images, 6.8 M parameters", kWidth,
     builders::resnext29},
    {"densenet121-cifar", "DenseNet-121 of the DiGN paper for 32x32 images, growth 12, 1.0 M parameters",
     kGrowth, builders::densenet121_cifar},
    {"densenet121", "DenseNet-121 for ImageNet, growth 32, 7.0 M parameters", kGrowth, builders::densenet121,
     224},
    {"densenet40", "DenseNet-40 of the AugMix paper for 32x32 images, growth 12, 1.1 M parameters", kGrowth,
     builders::densenet40},
    {"vit-lite", "ViT-lite 7/4, a vision transformer for 32x32 images, 3.7 M parameters", kVit,
     builders::vit_lite},
    {"allconv", "all-convolutional network of the AugMix paper for 32x32 images, 1.4 M parameters", kPlain,
     builders::allconv},
    {"alexnet", "AlexNet for ImageNet, 57 M parameters", kPlain, builders::alexnet, 224},
    {"toy-noisymix", "points 2-32-classes, the NoisyMix paper's toy network (appendix A)", kToy,
     [](const ModelOptions& o) { return builders::toy_mlp(o, 1, 1); }, 0},
    {"toy-nfm", "points 2-32-32-32-classes, the NFM paper's toy network (appendix F.2)", kToy,
     [](const ModelOptions& o) { return builders::toy_mlp(o, 3, 2); }, 0},
};

const Row& find_model(const std::string& name) {
  std::vector<std::string> known;
  for (const Row& row : kModels) {
    if (name == row.name) return row;
    known.emplace_back(row.name);
  }
  const std::string nearest = nearest_name(name, known);
  if (!nearest.empty()) fail<ConfigError>("unknown model '", name, "', did you mean '", nearest, "'?");
  std::string list;
  for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
  fail<ConfigError>("unknown model '", name, "', known are ", list);
}

void check_options(const Row& row, const ModelOptions& options) {
  NM_CHECK_AS(ConfigError, options.classes > 0, "[model] classes must be at least 1, got ", options.classes);
  NM_CHECK_AS(ConfigError, options.inputs >= 0, "[model] inputs must not be negative, got ", options.inputs);
  NM_CHECK_AS(ConfigError, std::isfinite(options.width) && options.width >= 0,
              "[model] width must be positive, got ", options.width);
  NM_CHECK_AS(ConfigError, options.dropout < 1, "[model] dropout must be below 1, got ", options.dropout);
  NM_CHECK_AS(ConfigError, options.drop_path < 1, "[model] drop_path must be below 1, got ",
              options.drop_path);
  NM_CHECK_AS(ConfigError, options.growth >= 0 && options.image_size >= 0 && options.patch >= 0,
              "[model] growth, image_size and patch must not be negative, got ", options.growth, ", ",
              options.image_size, " and ", options.patch);
  const auto check = [&](bool accepted, bool given, const char* option) {
    NM_CHECK_AS(ConfigError, accepted || !given, "[model] ", row.name, " has no option '", option, "'");
  };
  check(row.accepts.width, options.width != 0, "width");
  check(row.accepts.depth, options.depth != 0, "depth");
  check(row.accepts.dropout, options.dropout > 0, "dropout");
  check(row.accepts.shortcut, !options.shortcut.empty(), "shortcut");
  check(row.accepts.final_bn, options.final_bn, "final_bn");
  check(row.accepts.activation, options.activation != "relu", "activation");
  check(row.accepts.growth, options.growth != 0, "growth");
  check(row.accepts.stem, !options.stem.empty(), "stem");
  check(row.accepts.drop_path, options.drop_path > 0, "drop_path");
  check(row.accepts.image_size, options.image_size != 0, "image_size");
  check(row.accepts.patch, options.patch != 0, "patch");
}

std::vector<std::string> option_names(const Accepts& accepts) {
  std::vector<std::string> names;
  if (accepts.width) names.emplace_back("width");
  if (accepts.depth) names.emplace_back("depth");
  if (accepts.dropout) names.emplace_back("dropout");
  if (accepts.activation) names.emplace_back("activation");
  if (accepts.shortcut) names.emplace_back("shortcut");
  if (accepts.final_bn) names.emplace_back("final_bn");
  if (accepts.growth) names.emplace_back("growth");
  if (accepts.stem) names.emplace_back("stem");
  if (accepts.drop_path) names.emplace_back("drop_path");
  if (accepts.image_size) names.emplace_back("image_size");
  if (accepts.patch) names.emplace_back("patch");
  return names;
}

}  // namespace

std::unique_ptr<Model> make_blank_model(const std::string& name, const ModelOptions& options) {
  const Row& row = find_model(name);
  check_options(row, options);
  return row.build(options);
}

std::unique_ptr<Model> make_model(const std::string& name, const ModelOptions& options, Key key) {
  ModelPointer model = make_blank_model(name, options);
  model->initialize(key);
  return model;
}

std::vector<ModelEntry> list_models() {
  std::vector<ModelEntry> result;
  for (const Row& row : kModels)
    result.push_back({row.name, row.description, row.side, option_names(row.accepts)});
  return result;
}

}  // namespace noisymix
