// The folder of one training run:
//   config.toml          the resolved settings
//   metrics.jsonl        one JSON object a line
//   events.out.tfevents.*  the same curves for TensorBoard, with train.tensorboard
//   checkpoints/         step-00001234.safetensors, the last few
//   model.safetensors    the weights to report (train.report: last or best)
//   best.safetensors     the weights with the best test accuracy so far
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/config.h"

namespace noisymix {

class RunDirectory {
 public:
  explicit RunDirectory(std::filesystem::path root) : root_(std::move(root)) {}

  /// Makes the folder and writes config.toml. Throws ConfigError when it already holds a run.
  void create(const Config& config) const;
  /// Throws ConfigError when there is no run, or when its settings differ in a key that shapes the result;
  /// each such key is listed with both values. Keys that only steer the process (workers, max_steps, ...) may
  /// change and are written to config.toml.
  void reopen(const Config& config) const;

  Config read_config() const;
  /// Whether the folder holds a run.
  bool exists() const { return std::filesystem::exists(config_file()); }

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path config_file() const { return root_ / "config.toml"; }
  std::filesystem::path metrics_file() const { return root_ / "metrics.jsonl"; }
  std::filesystem::path model_file() const { return root_ / "model.safetensors"; }
  std::filesystem::path best_file() const { return root_ / "best.safetensors"; }
  std::filesystem::path checkpoint_file(std::int64_t step) const;
  /// Complete checkpoints, oldest first (by the step in the name).
  std::vector<std::filesystem::path> checkpoints() const;
  /// Deletes all but the newest `keep` checkpoints, and temporary files that a killed process left behind.
  void prune(std::int64_t keep) const;

 private:
  std::filesystem::path root_;
};

/// Keys ("section.key") in which two configurations differ, as "key: a -> b", leaving out those that only
/// steer the process.
std::vector<std::string> differing_keys(const Config& a, const Config& b);

}  // namespace noisymix
