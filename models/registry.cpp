#include "models/registry.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "engine/nearest_name.h"
#include "models/preact_resnet.h"
#include "models/toy_mlp.h"
#include "models/wide_resnet.h"

namespace noisymix {
namespace {

using ModelPointer = std::unique_ptr<Model>;

ModelPointer preact_resnet(const ModelOptions& options, double default_width) {
  PreActOptions preact;
  const bool known = options.shortcut.empty() || options.shortcut == "activated" || options.shortcut == "raw";
  NM_CHECK_AS(ConfigError, known, "[model] unknown shortcut '", options.shortcut,
              "', expected activated or raw");
  preact.shortcut = options.shortcut == "raw" ? PreActShortcut::raw : PreActShortcut::activated;
  preact.final_bn = options.final_bn;
  preact.activation = parse_activation(options.activation);
  const double width = options.width > 0 ? options.width : default_width;
  return std::make_unique<PreActResNet18>(options.inputs > 0 ? options.inputs : 3, options.classes, width,
                                          preact);
}

ModelPointer wide_resnet(const ModelOptions& options, std::int64_t depth, double width) {
  WideResNetOptions wide;
  if (options.inputs > 0) wide.inputs = options.inputs;
  wide.classes = options.classes;
  wide.depth = options.depth != 0 ? options.depth : depth;
  const double factor = options.width > 0 ? options.width : width;
  NM_CHECK_AS(ConfigError, factor == std::floor(factor), "[model] wrn needs a whole width, got ", factor);
  wide.width = static_cast<std::int64_t>(factor);
  if (options.dropout >= 0) wide.dropout = options.dropout;
  wide.activation = parse_activation(options.activation);
  return std::make_unique<WideResNet>(wide);
}

ModelPointer toy_mlp(const ModelOptions& options, std::int64_t hidden_layers, int mix_layers) {
  ToyMlpOptions toy;
  if (options.inputs > 0) toy.inputs = options.inputs;
  toy.classes = options.classes;
  toy.hidden_layers = hidden_layers;
  toy.mix_layers = mix_layers;
  if (options.width > 0) toy.units = std::max<std::int64_t>(1, std::llround(32 * options.width));
  if (options.dropout >= 0) toy.dropout = options.dropout;
  toy.activation = parse_activation(options.activation);
  return std::make_unique<ToyMlp>(toy);
}

/// Which of the shared options a model has; the others must keep their defaults.
struct Accepts {
  bool width = false, depth = false, dropout = false, shortcut = false, final_bn = false;
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
constexpr Accepts kToy{.width = true, .dropout = true};

constexpr Row kModels[] = {
    {"preactresnet18", "pre-activation ResNet-18 for 32x32 images, 11.2 M parameters", kPreAct,
     [](const ModelOptions& o) { return preact_resnet(o, 1); }},
    {"preactwideresnet18", "the same with twice the channels (NFM's Wide-ResNet-18), 44.7 M parameters",
     kPreAct, [](const ModelOptions& o) { return preact_resnet(o, 2); }},
    {"wrn28-2", "Wide-ResNet 28-2 in NoisyMix form, 1.5 M parameters", kFixedWide,
     [](const ModelOptions& o) { return wide_resnet(o, 28, 2); }},
    {"wrn28-4", "Wide-ResNet 28-4 in NoisyMix form, 5.9 M parameters (the published NoisyMix results)",
     kFixedWide, [](const ModelOptions& o) { return wide_resnet(o, 28, 4); }},
    {"wrn28-10", "Wide-ResNet 28-10 in NoisyMix form, 36.5 M parameters", kFixedWide,
     [](const ModelOptions& o) { return wide_resnet(o, 28, 10); }},
    {"wrn", "Wide-ResNet in NoisyMix form with options depth (6 n + 4) and width, 28 and 4 unless given",
     kAnyWide, [](const ModelOptions& o) { return wide_resnet(o, 28, 4); }},
    {"toy-noisymix", "points 2-32-classes, the NoisyMix paper's toy network (appendix A)", kToy,
     [](const ModelOptions& o) { return toy_mlp(o, 1, 1); }, 0},
    {"toy-nfm", "points 2-32-32-32-classes, the NFM paper's toy network (appendix F.2)", kToy,
     [](const ModelOptions& o) { return toy_mlp(o, 3, 2); }, 0},
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
  const auto check = [&](bool accepted, bool given, const char* option) {
    NM_CHECK_AS(ConfigError, accepted || !given, "[model] ", row.name, " has no option '", option, "'");
  };
  check(row.accepts.width, options.width != 0, "width");
  check(row.accepts.depth, options.depth != 0, "depth");
  check(row.accepts.dropout, options.dropout > 0, "dropout");
  check(row.accepts.shortcut, !options.shortcut.empty(), "shortcut");
  check(row.accepts.final_bn, options.final_bn, "final_bn");
}

std::vector<std::string> option_names(const Accepts& accepts) {
  std::vector<std::string> names;
  if (accepts.width) names.emplace_back("width");
  if (accepts.depth) names.emplace_back("depth");
  if (accepts.dropout) names.emplace_back("dropout");
  names.emplace_back("activation");
  if (accepts.shortcut) names.emplace_back("shortcut");
  if (accepts.final_bn) names.emplace_back("final_bn");
  return names;
}

}  // namespace

std::unique_ptr<Model> make_model(const std::string& name, const ModelOptions& options, Key key) {
  const Row& row = find_model(name);
  check_options(row, options);
  ModelPointer model = row.build(options);
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
