#include "tools/transfer.h"

#include <algorithm>
#include <string>
#include <vector>

#include "engine/error.h"
#include "layers/batch_norm2d.h"
#include "tools/weights.h"

namespace noisymix {
namespace {

/// Options that change what a network computes but not its tensors must agree; the shapes tell the others.
void check_same_function(const WeightFile& weights, const ModelCard& card) {
  if (!weights.card || weights.card->architecture != card.architecture) return;
  const ModelOptions &theirs = weights.card->options, &ours = card.options;
  const auto check = [&](const char* option, const std::string& was, const std::string& is) {
    NM_CHECK_AS(ConfigError, was == is, "[transfer] ", weights.path.string(), " was trained with model.",
                option, " = \"", was, "\", but the settings say \"", is, '"');
  };
  const auto shortcut = [](const ModelOptions& options) {
    return options.shortcut.empty() ? std::string("activated") : options.shortcut;  // the default
  };
  check("activation", theirs.activation, ours.activation);
  check("shortcut", shortcut(theirs), shortcut(ours));
}

/// "wrn28-4 with 10 classes"
std::string describe(const ModelCard& card) {
  return card.architecture + " with " + std::to_string(card.options.classes) + " classes";
}

void load_start(const TransferConfig& config, const ModelCard& card, Model& model) {
  NM_CHECK_AS(ConfigError, !config.replace_head || !model.head().empty(), "[transfer] ", card.architecture,
              " has no single last layer to replace; set transfer.replace_head = false");
  const WeightFile weights = read_weight_file(config.weights);
  check_same_function(weights, card);
  try {
    load_weights(weights, model, config.replace_head ? model.head() : "");
  } catch (const DataError& error) {
    const std::string source = weights.card ? " of " + describe(*weights.card) : "";
    const bool other_classes = weights.card && weights.card->options.classes != card.options.classes;
    fail<DataError>("[transfer] weights", source, " for ", describe(card),
                    !config.replace_head && other_classes
                        ? " (transfer.replace_head = true draws the last layer anew)"
                        : "",
                    ": ", error.what());
  }
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

/// Which parameters, in the order of the state, freezing to stage `stage` holds still.
std::vector<bool> frozen_parameters(const Model& model, const std::string& architecture, int stage) {
  const Module::Named parameters = model.parameters();
  std::vector<bool> frozen(parameters.size(), false);
  if (stage < 1) return frozen;
  const std::vector<std::string> ends = model.stage_ends();
  const auto stages = static_cast<int>(ends.size());
  NM_CHECK_AS(ConfigError, stage <= stages, "[transfer] freeze = ", stage, ", but ", architecture, " has ",
              stages, " stages", stages > 0 ? " (" + joined(ends) + ")" : "");
  if (stage == stages) {  // all but the last layer, also what may stand behind the last stage
    NM_CHECK_AS(ConfigError, !model.head().empty(), "[transfer] ", architecture,
                " has no single last layer, which alone would train with freeze = ", stages);
    for (std::size_t i = 0; i < frozen.size(); ++i)
      frozen[i] = !parameters[i].first.starts_with(model.head() + ".");
    return frozen;
  }
  std::size_t count = parameters.size();
  const std::string end = ends[static_cast<std::size_t>(stage) - 1] + ".";
  while (count > 0 && !parameters[count - 1].first.starts_with(end)) --count;
  NM_ASSERT(count > 0);
  std::fill_n(frozen.begin(), count, true);
  return frozen;
}

void hold_frozen_statistics(Model& model) {
  model.visit([](Module& module) {
    auto* const norm = dynamic_cast<BatchNorm2d*>(&module);
    if (norm != nullptr && !norm->parameters().front().second.requires_grad()) norm->hold_statistics();
  });
}

}  // namespace

Module::Named begin_transfer(const TransferConfig& config, const ModelCard& card, Model& model, bool load) {
  Module::Named parameters = model.parameters();
  if (config.weights.empty()) return parameters;
  const std::vector<bool> frozen = frozen_parameters(model, card.architecture, config.freeze);
  if (load) load_start(config, card, model);
  Module::Named trained;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (frozen[i])
      parameters[i].second.set_requires_grad(false);
    else
      trained.push_back(parameters[i]);
  }
  if (config.freeze_statistics) hold_frozen_statistics(model);
  return trained;
}

}  // namespace noisymix
