// Speed of one training step on random images in memory: what `noisymix bench step` reports.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/device.h"

namespace noisymix {

struct BenchStepOptions {
  std::string arch = "preactresnet18";  ///< a name of models/registry.h
  std::string scheme = "noisymix";      ///< infer, plain, or NAME of a ready configuration cifar10-NAME
  std::string dtype = "f32";
  std::int64_t batch = 128;  ///< examples, each with all views of the scheme
  int steps = 4, warmup = 1;
  int classes = 10;
  double width = 0;     ///< factor on the network's channels; 0 is its own
  int threads = 0;      ///< 0 leaves the pool as it is
  double dropout = -1;  ///< below 0: the model's own
  Device device = {};
  bool eager = false;         ///< GPU: op by op instead of a recorded step
  bool deterministic = true;  ///< GPU: only algorithms that give the same bits every time
  bool profile = false;       ///< time every op
};

/// The fields of one JSON line; step_s is the median over the steps.
struct BenchStepResult {
  std::string peer, arch, scheme, device, dtype;
  std::int64_t batch = 0;
  double step_s = 0, views_per_s = 0, base_images_per_s = 0;
  double passes = 0;          ///< forward and backward passes over the batch that the scheme takes
  std::int64_t peak_mib = 0;  ///< largest resident size of the process; GPU: of what was in use there
  std::int64_t system_allocations = 0;  ///< during the timed steps
  std::string profile;                  ///< table of the ops, empty unless wanted
};

/// What options.scheme may be.
std::vector<std::string> bench_schemes_known();

BenchStepResult bench_step(const BenchStepOptions& options);
/// One line without, and one with its newline.
std::string to_json(const BenchStepResult& result);
std::string to_text(const BenchStepResult& result);

}  // namespace noisymix
