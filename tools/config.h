// Parsed settings of a run. Only tools/ knows that config files exist; lower folders get plain option
// structs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/feature_mix.h"
#include "augment/views.h"
#include "data/registry.h"
#include "models/registry.h"

namespace noisymix {

struct DataConfig {
  std::string name = "shapes";
  std::string path;                    ///< relative paths are resolved against the working directory
  std::string normalization = "half";  ///< half (0.5/0.5), cifar10, cifar100, imagenet, none (D14)
  std::int64_t train_limit = 0, test_limit = 0;  ///< first examples only; 0 means all
  std::uint64_t seed = 0;                        ///< of built-in sets
  int image_size = 0;
  ImageTransform transform;  ///< of test pictures; views.crop decides what becomes of training pictures
};

struct ModelConfig {
  std::string name = "preactresnet18";
  ModelOptions options;  ///< classes is taken from the data set
};

/// First choice of a scheme: which views of an image.
struct ViewsConfig {
  std::string kind = "plain";   ///< plain (crop/flip image), augmix (clean + augmented), augmix_only
  int count = 1;                ///< plain: equal copies; augmix: number of augmented views
  std::string crop = "padded";  ///< padded, or random_resized to data.crop
  double area_low = 0.08;       ///< random_resized: smallest share of a picture's area
  CropFlipOptions crop_flip;
  AugMixOptions augmix;
};

/// Third choice: which objective over the views.
struct ObjectiveConfig {
  std::string cross_entropy_views = "first";  ///< first or all
  double label_smoothing = 0;
  std::string consistency = "none";  ///< none, jensen_shannon
  double consistency_weight = 12;
  double consistency_floor = 1e-7;  ///< clamp of the mixture (D30); 0 means none
};

struct OptimizerConfig {
  std::string name = "sgd";  ///< sgd, adam, adamw
  double lr = 0.1, momentum = 0.9, weight_decay = 5e-4;
  bool nesterov = true;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
};

struct ScheduleConfig {
  std::string name = "cosine";  ///< constant, cosine (per step), multistep
  double floor = 1e-6;          ///< cosine: last learning rate
  std::vector<std::int64_t>
      milestones;  ///< multistep: epochs after which the rate is multiplied by gamma (D39)
  double gamma = 0.1;
  double warmup_epochs = 0;
  double warmup_start = 0;  ///< learning rate at step 0 of the warm-up
};

struct TrainConfig {
  std::int64_t epochs = 200, batch = 128, eval_batch = 256;
  std::uint64_t seed = 1;
  std::string precision = "f32";
  bool deterministic = true;  ///< GPU: only algorithms that give the same bits every time
  bool cuda_graph = true;     ///< GPU: record a step once and replay it
  int workers = 1, prefetch = 2;
  bool drop_last = false;
  std::int64_t max_steps = 0;         ///< stop early; 0 means no limit
  std::int64_t eval_every = 1;        ///< epochs between evaluations on the test split
  std::int64_t checkpoint_every = 1;  ///< epochs between checkpoints
  std::int64_t checkpoint_steps = 0;  ///< also every so many steps; 0 means never
  std::int64_t keep = 2;              ///< checkpoints kept
  std::string report = "last";        ///< last or best (D15)
  bool tensorboard = false;           ///< also write event files for TensorBoard
};

struct Config {
  std::string title;
  DataConfig data;
  ModelConfig model;
  ViewsConfig views;
  FeatureMixOptions mix;  ///< second choice: what is mixed and noised where
  ObjectiveConfig objective;
  OptimizerConfig optimizer;
  ScheduleConfig schedule;
  TrainConfig train;
};

/// Number of views of an image that a training step sees.
int view_count(const ViewsConfig& views);

/// Reads a TOML file, applies "section.key=value" overrides, validates. Throws ConfigError with every mistake
/// (file, line, column, nearest valid key), one a line.
Config load_config(const std::string& path, const std::vector<std::string>& overrides);

/// The same from text; `name` stands for the file in messages.
Config parse_config(const std::string& name, const std::string& text,
                    const std::vector<std::string>& overrides);

/// The complete resolved configuration as TOML; parse_config gives the same Config back.
std::string to_toml(const Config& config);

/// Key, section or (empty) all keys with type, default, range and meaning as plain text; throws ConfigError
/// with the nearest key for an unknown one. The second is the Markdown of docs/config.md.
std::string explain_config(const std::string& section_or_key);
std::string config_reference_markdown();

}  // namespace noisymix
