// Speed of one training step on random images in memory: what `noisymix bench step` reports.
#pragma once

#include <cstdint>
#include <string>

#include "engine/device.h"

namespace noisymix {

struct BenchStepOptions {
  std::string arch = "preactresnet18";  ///< a name of models/registry.h
  std::string scheme = "noisymix";      ///< plain, augmix, noisymix, infer
  std::string dtype = "f32";
  std::int64_t batch = 128;  ///< examples; augmix and noisymix see three views of each
  int steps = 4, warmup = 1;
  int classes = 10;
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
  std::int64_t peak_mib = 0;  ///< largest resident size of the process; GPU: of what was in use there
  std::int64_t system_allocations = 0;  ///< during the timed steps
  std::string profile;                  ///< table of the ops, empty unless wanted
};

BenchStepResult bench_step(const BenchStepOptions& options);
/// One line without, and one with its newline.
std::string to_json(const BenchStepResult& result);
std::string to_text(const BenchStepResult& result);

}  // namespace noisymix
