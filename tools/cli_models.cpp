// noisymix models: the networks there are, and what they cost.
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>
#include <sstream>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "engine/error.h"
#include "models/registry.h"
#include "tools/cli.h"
#include "tools/model_costs.h"

namespace noisymix {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kWidth = 100;
constexpr const char* kNotes =
    "FLOPs: one example's forward pass, convolutions and matrix products, a multiply-add counts as 2.\n"
    "Activations: what a training step keeps per example for its backward pass, f32, measured on the CPU.\n"
    "Weights: parameters and running statistics, f32; gradients and SGD's momentum take as much each.\n";

struct Options {
  std::string name;
  int side = 0, classes = 0, depth = 1;
  bool json = false, brief = false;
};

/// A network as it is measured.
struct Measured {
  ModelEntry entry;
  std::vector<std::int64_t> sample_shape;
  int classes = 0;
  std::unique_ptr<Model> model;
  std::optional<ModelCosts> costs;  ///< absent when it does not take examples of that shape
  std::string problem;              ///< why
};

Measured measure(const ModelEntry& entry, const Options& options) {
  Measured result{.entry = entry, .sample_shape = {}, .classes = 0, .model = {}, .costs = {}, .problem = {}};
  const int side = entry.side > 0 && options.side > 0 ? options.side : entry.side;
  result.sample_shape = side > 0 ? std::vector<std::int64_t>{side, side, 3} : std::vector<std::int64_t>{2};
  const int usual = side == 0 ? 2 : entry.side > 64 ? 1000 : 10;  // points, ImageNet, CIFAR
  result.classes = options.classes > 0 ? options.classes : usual;
  ModelOptions model;
  model.classes = result.classes;
  result.model = make_model(entry.name, model, Key(0));
  try {
    result.costs = measure_costs(*result.model, result.sample_shape, options.depth);
  } catch (const ShapeError& error) {
    result.problem = error.what();
  }
  return result;
}

/// "11.2 M": three digits and a decimal unit.
std::string amount(double value, const char* unit) {
  static constexpr const char* kPrefixes[] = {"", "k", "M", "G", "T"};
  std::size_t prefix = 0;
  while (value >= 999.5 && prefix + 1 < std::size(kPrefixes)) {
    value /= 1000;
    ++prefix;
  }
  const int decimals = prefix == 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  char text[32];
  std::snprintf(text, sizeof text, "%.*f %s%s", decimals, value, kPrefixes[prefix], unit);
  return text;
}

std::string shape_text(const std::vector<std::int64_t>& dims) {
  std::string text;
  for (const std::int64_t size : dims) text += (text.empty() ? "" : "x") + std::to_string(size);
  return text;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : ", ") + part;
  return text;
}

std::string input_text(const Measured& m) {
  return m.sample_shape.size() == 1 ? std::to_string(m.sample_shape[0]) + " numbers"
                                    : shape_text(m.sample_shape);
}

Json to_json(const Measured& m) {
  Json json = {{"name", m.entry.name},
               {"description", m.entry.description},
               {"input", m.sample_shape},
               {"classes", m.classes},
               {"options", m.entry.options},
               {"mixing_stages", m.model->stages()},
               {"freezing_stages", m.model->stage_ends()},
               {"head", m.model->head()}};
  if (!m.costs) {
    json["problem"] = m.problem;
    return json;
  }
  json["parameters"] = m.costs->parameters;
  json["weight_bytes"] = m.costs->weight_bytes;
  json["flops_per_example"] = m.costs->flops;
  json["activation_bytes_per_example"] = m.costs->activation_bytes;
  json["modules"] = Json::array();
  for (const ModuleCosts& module : m.costs->modules) {
    json["modules"].push_back({{"path", module.path},
                               {"parameters", module.parameters},
                               {"output", module.output},
                               {"flops_per_example", module.flops}});
  }
  return json;
}

void print_row(const Measured& m) {
  char line[160];
  if (m.costs) {
    std::snprintf(line, sizeof line, "%-20s %11s %8d %12s %12s %14s %12s\n", m.entry.name.c_str(),
                  input_text(m).c_str(), m.classes,
                  amount(static_cast<double>(m.costs->parameters), "").c_str(),
                  amount(m.costs->flops, "").c_str(),
                  amount(static_cast<double>(m.costs->activation_bytes), "B").c_str(),
                  amount(static_cast<double>(m.costs->weight_bytes), "B").c_str());
  } else {
    std::snprintf(line, sizeof line, "%-20s %11s %8d  does not take this size\n", m.entry.name.c_str(),
                  input_text(m).c_str(), m.classes);
  }
  std::cout << line << std::flush;
}

/// Name and description, broken at spaces.
void print_description(const ModelEntry& entry) {
  constexpr std::size_t kIndent = 21;
  std::string line =
      entry.name + std::string(std::max(entry.name.size() + 1, kIndent) - entry.name.size(), ' ');
  std::istringstream words(entry.description);
  for (std::string word; words >> word;) {
    if (line.size() + word.size() > kWidth) {
      std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
      line = std::string(kIndent, ' ');
    }
    line += word + " ";
  }
  std::cout << line.substr(0, line.find_last_not_of(' ') + 1) << "\n";
}

int list_all(const Options& options) {
  const std::vector<ModelEntry> entries = list_models();
  if (options.json) {
    Json json = Json::array();
    for (const ModelEntry& entry : entries) json.push_back(to_json(measure(entry, options)));
    std::cout << json.dump(2) << "\n";
    return kExitSuccess;
  }
  if (!options.brief) {
    char head[160];
    std::snprintf(head, sizeof head, "%-20s %11s %8s %12s %12s %14s %12s\n", "network", "input", "classes",
                  "parameters", "FLOPs", "activations", "weights");
    std::cout << head;
    for (const ModelEntry& entry : entries) print_row(measure(entry, options));
    std::cout << "\n" << kNotes << "\n";
  }
  for (const ModelEntry& entry : entries) print_description(entry);
  return kExitSuccess;
}

void print_one(const Measured& m) {
  const auto number = [](auto value, const char* unit) { return amount(static_cast<double>(value), unit); };
  std::cout << m.entry.name << ": " << m.entry.description << "\n\n";
  std::cout << "input        " << input_text(m) << ", " << m.classes << " classes\n";
  std::cout << "parameters   " << m.costs->parameters << "\n";
  std::cout << "FLOPs        " << number(m.costs->flops, "") << "\n";
  std::cout << "activations  " << number(m.costs->activation_bytes, "B") << "\n";
  std::cout << "weights      " << number(m.costs->weight_bytes, "B") << "\n";
  std::vector<std::string> stages, settings;
  for (const int stage : m.model->stages()) stages.push_back(std::to_string(stage));
  for (const std::string& option : m.entry.options) settings.push_back("model." + option);
  std::cout << "mix.layers   " << joined(stages) << "\n";
  std::vector<std::string> frozen;
  for (const std::string& end : m.model->stage_ends())
    frozen.push_back(std::to_string(frozen.size() + 1) + " " + end);
  if (!frozen.empty()) std::cout << "freezing to  " << joined(frozen) << "\n";
  if (!m.model->head().empty()) std::cout << "last layer   " << m.model->head() << "\n";
  std::cout << "options      " << joined(settings) << "\n\n";

  std::size_t width = 6;
  for (const ModuleCosts& module : m.costs->modules) width = std::max(width, module.path.size());
  char line[256];
  const auto row = [&](const std::string& path, const std::string& parameters, const std::string& flops,
                       const std::string& output) {
    std::snprintf(line, sizeof line, "%-*s %12s %12s %16s\n",
                  static_cast<int>(std::min<std::size_t>(width, 56)), path.c_str(), parameters.c_str(),
                  flops.c_str(), output.c_str());
    std::cout << line;
  };
  row("module", "parameters", "FLOPs", "output");
  for (const ModuleCosts& module : m.costs->modules)
    row(module.path, std::to_string(module.parameters), number(module.flops, ""),
        module.output.empty() ? "-" : shape_text(module.output));
  std::cout << "\n" << kNotes;
}

int show_one(const Options& options) {
  const std::vector<ModelEntry> entries = list_models();
  const auto entry = std::find_if(entries.begin(), entries.end(),
                                  [&](const ModelEntry& e) { return e.name == options.name; });
  if (entry == entries.end()) make_model(options.name, {}, Key(0));  // throws with the nearest name
  const Measured m = measure(*entry, options);
  NM_CHECK_AS(ConfigError, m.costs.has_value(), options.name, " does not take examples of ", input_text(m),
              ": ", m.problem);
  if (options.json)
    std::cout << to_json(m).dump(2) << "\n";
  else
    print_one(m);
  return kExitSuccess;
}

}  // namespace

void add_models(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      program.add_subcommand("models", "List the networks that model.name may be, and what they cost");
  verb->add_option("name", options->name, "show this one, module by module")->type_name("NAME");
  verb->add_option("--side", options->side, "side of the images; otherwise what each network is made for")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  verb->add_option("--classes", options->classes,
                   "otherwise 1000 for ImageNet's networks, 10 for CIFAR's, 2 for points")
      ->check(CLI::Range(1, 1000000))
      ->type_name("K");
  verb->add_option("--depth", options->depth, "of the modules shown for NAME: 2 shows blocks, 3 their layers")
      ->check(CLI::Range(1, 16))
      ->capture_default_str()
      ->type_name("N");
  verb->add_flag("--brief", options->brief, "names and descriptions only, nothing is measured");
  verb->add_flag("--json", options->json, "machine-readable");
  verb->footer(
      examples({"models", "models preactresnet18 --depth 2", "models wrn28-4 --side 64 --classes 200"}));
  verb->callback([options, &action] {
    action = [options] { return options->name.empty() ? list_all(*options) : show_one(*options); };
  });
}

}  // namespace noisymix
