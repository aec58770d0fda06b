#include "tools/checkpoint.h"

#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/error.h"
#include "engine/io/torch_layout.h"
#include "tools/run_directory.h"
#include "tools/scheme.h"
#include "tools/training_setup.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr const char* kCardKey = "noisymix";      // metadata entry that holds the card
constexpr const char* kPositionKey = "position";  // metadata entry that makes a file a checkpoint
constexpr std::string_view kModelPrefix = "model.", kOptimizerPrefix = "optimizer.",
                           kObjectivePrefix = "objective.";

}  // namespace

// nlohmann's macros need these in the namespace of the types. WITH_DEFAULT: a file written before a field
// existed reads as that field's default.
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ModelOptions, classes, inputs, width, depth, dropout,
                                                shortcut, final_bn, activation, growth, stem, drop_path,
                                                image_size, patch)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(ModelCard, architecture, options, class_names, normalization,
                                                sample_shape, resize, version, data)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(Position, step, epoch, batch, examples, loss_sum,
                                                accuracy_sum, best_accuracy, best_epoch, metrics_bytes)

namespace {

void add_tensors(Safetensors& file, std::string_view prefix, const Module::Named& tensors) {
  for (const auto& [name, tensor] : tensors) file.tensors.emplace_back(std::string(prefix) + name, tensor);
}

/// The tensors in host memory.
Module::Named on_host(Module::Named tensors) {
  for (auto& [name, tensor] : tensors) tensor = tensor.to(Device{});
  return tensors;
}

/// The tensors whose name starts with `prefix`, without it.
Safetensors tensors_under(const Safetensors& file, std::string_view prefix) {
  Safetensors found;
  for (const auto& [name, tensor] : file.tensors) {
    if (name.starts_with(prefix)) found.tensors.emplace_back(name.substr(prefix.size()), tensor);
  }
  return found;
}

template <typename T>
T parse_metadata(const fs::path& path, const Safetensors& file, const char* key) {
  const auto entry = file.metadata.find(key);
  NM_CHECK_AS(DataError, entry != file.metadata.end(), path.string(),
              ": not written by noisymix (its metadata has no \"", key,
              "\" entry), so the network it belongs to is unknown");
  try {
    return Json::parse(entry->second).get<T>();
  } catch (const Json::exception& error) {
    fail<DataError>(path.string(), ": malformed metadata entry \"", key, "\": ", error.what());
  }
}

ModelCard read_card(const fs::path& path, const Safetensors& file) {
  const auto card = parse_metadata<ModelCard>(path, file, kCardKey);
  NM_CHECK_AS(DataError, card.options.classes == card.classes(), path.string(), ": the card names ",
              card.classes(), " classes, but the network has ", card.options.classes);
  return card;
}

/// The run folder a weight file or checkpoint lies in, judged by its config.toml.
std::optional<RunDirectory> run_around(const fs::path& file) {
  const fs::path parent = fs::absolute(file).parent_path();
  for (const fs::path& folder : {parent, parent.parent_path()}) {
    const RunDirectory run(folder);
    if (run.exists()) return run;
  }
  return std::nullopt;
}

}  // namespace

void save_weights(const fs::path& path, const Module& model, const ModelCard& card) {
  const NoGrad unrecorded;
  Safetensors file = to_torch_layout(on_host(model.state()));
  file.metadata = {{"format", "pt"}, {kCardKey, Json(card).dump()}};
  write_safetensors(path, file);
}

void save_checkpoint(const fs::path& path, const Checkpoint& checkpoint) {
  const NoGrad unrecorded;
  Safetensors file;
  file.metadata = {{kCardKey, Json(checkpoint.card).dump()},
                   {kPositionKey, Json(checkpoint.position).dump()}};
  add_tensors(file, kModelPrefix, to_torch_layout(on_host(checkpoint.model)).tensors);
  add_tensors(file, kOptimizerPrefix, on_host(checkpoint.optimizer));
  add_tensors(file, kObjectivePrefix, on_host(checkpoint.objective));
  write_safetensors(path, file);
}

Checkpoint load_checkpoint(const fs::path& path) {
  const NoGrad unrecorded;
  const Safetensors file = read_safetensors(path);
  Checkpoint checkpoint;
  checkpoint.card = read_card(path, file);
  checkpoint.position = parse_metadata<Position>(path, file, kPositionKey);
  checkpoint.model = from_torch_layout(tensors_under(file, kModelPrefix));
  checkpoint.optimizer = tensors_under(file, kOptimizerPrefix).tensors;
  checkpoint.objective = tensors_under(file, kObjectivePrefix).tensors;
  return checkpoint;
}

std::optional<ModelCard> find_card(const fs::path& path, const Safetensors& file) {
  if (!file.metadata.contains(kCardKey)) return std::nullopt;
  return read_card(path, file);
}

Module::Named network_state(const Safetensors& file) {
  const bool is_checkpoint = file.metadata.contains(kPositionKey);
  return from_torch_layout(tensors_under(file, is_checkpoint ? kModelPrefix : ""));
}

LoadedRun load_run(const fs::path& path) {
  const NoGrad unrecorded;
  LoadedRun run;
  run.weights = path;
  if (fs::is_directory(path)) {
    const RunDirectory directory(path);
    NM_CHECK_AS(DataError, directory.exists(), path.string(), ": not a run folder (there is no config.toml)");
    run.weights = directory.model_file();
    NM_CHECK_AS(DataError, fs::exists(run.weights), path.string(),
                ": no model.safetensors yet; training writes it with its first checkpoint or evaluation");
  }
  const Safetensors file = read_safetensors(run.weights);
  run.card = read_card(run.weights, file);
  run.normalization = make_normalization(run.card.normalization);
  run.model = make_blank_model(run.card.architecture, run.card.options);
  try {
    run.model->load_state(network_state(file));
  } catch (const DataError& error) {
    fail<DataError>(run.weights.string(), ": ", error.what());
  }
  if (const auto directory = run_around(run.weights)) run.config = directory->read_config();
  if (run.config) run.model = with_ensemble(std::move(run.model), run.config->ensemble);
  return run;
}

}  // namespace noisymix
