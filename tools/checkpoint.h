// Weights and training state in safetensors files. Weight files hold PyTorch names, shapes and layout, and
// describe their network in the metadata; checkpoints hold the optimizer's state and the position besides.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "augment/image.h"
#include "engine/io/safetensors.h"
#include "models/registry.h"
#include "tools/config.h"

namespace noisymix {

/// What a weight file says about its network: enough to build it again and to feed and read it.
struct ModelCard {
  std::string architecture;
  ModelOptions options;
  std::vector<std::string> class_names;
  std::string normalization = "half";  ///< name of the constants, see make_normalization()
  std::vector<std::int64_t>
      sample_shape;     ///< {height, width, channels} of the images, or {count} of the features
  int resize = 0;       ///< shorter side before the centre crop to sample_shape; 0 is that shape itself
  std::string version;  ///< of noisymix that wrote the file
  std::string data;     ///< name of the training set

  int classes() const { return static_cast<int>(class_names.size()); }
};

/// Where a run stands between two steps.
struct Position {
  std::int64_t step = 0;      ///< steps done since the start
  std::int64_t epoch = 0;     ///< epoch of the next step, from 0
  std::int64_t batch = 0;     ///< its next batch, from 0
  std::int64_t examples = 0;  ///< seen in this epoch so far
  double loss_sum = 0;        ///< over those examples
  double accuracy_sum = 0;
  double best_accuracy = -1;  ///< on the test split
  std::int64_t best_epoch = 0;
  std::int64_t metrics_bytes = 0;  ///< length of metrics.jsonl at this point

  bool operator==(const Position&) const = default;
};

/// Complete training state.
struct Checkpoint {
  ModelCard card;
  Position position;
  Module::Named model;      ///< state of the model, in this library's layout
  Module::Named optimizer;  ///< state of the optimizer by name
  Module::Named objective;  ///< state of the objective by name; usually nothing
};

/// Writes the weights atomically with their card; PyTorch users load them by name and shape.
void save_weights(const std::filesystem::path& path, const Module& model, const ModelCard& card);

/// One file, written atomically: a checkpoint is either complete or absent.
void save_checkpoint(const std::filesystem::path& path, const Checkpoint& checkpoint);
Checkpoint load_checkpoint(const std::filesystem::path& path);

/// What the file says about its network; nothing when noisymix did not write it. `path` is for messages.
std::optional<ModelCard> find_card(const std::filesystem::path& path, const Safetensors& file);
/// The state of the network in a weight file or checkpoint, in this library's layout.
Module::Named network_state(const Safetensors& file);

/// A trained network ready for evaluation.
struct LoadedRun {
  std::unique_ptr<Model> model;
  ModelCard card;
  Normalization normalization;    ///< the card's constants
  std::optional<Config> config;   ///< the run's settings; absent for a weight file outside a run folder
  std::filesystem::path weights;  ///< the file read
};

/// `path` is a run folder (its model.safetensors), or a weight file or checkpoint written by noisymix. Throws
/// DataError naming the file and what is missing.
LoadedRun load_run(const std::filesystem::path& path);

}  // namespace noisymix
