// A training scheme: which views of an image, what is mixed and noised where, and which objective over the
// views. Three independent choices that compose; every published method is a setting of them, none is a
// branch in the trainer.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "augment/views.h"
#include "data/loader.h"
#include "engine/step_graph.h"
#include "models/registry.h"
#include "tools/config.h"

namespace noisymix {

/// What one training step reports besides its loss.
struct StepStats {
  double cross_entropy = 0;
  double consistency = 0;  ///< weighted, as it enters the loss
  double accuracy = 0;     ///< lambda acc(y) + (1 - lambda) acc(y[permutation]) on the first view, in [0, 1]
  double lambda = 1;
  int layer = -1;  ///< stage that was mixed or noised; -1 when none was
};

/// A step's loss before anybody has waited for the device.
struct StepLoss {
  Tensor loss;        ///< scalar on the tape
  Tensor terms;       ///< f64 [3]: cross entropy, weighted consistency, accuracy
  Tensor perturbed;   ///< scalar: weighted consistency of perturbed copies, further part of the loss; or
                      ///< undefined
  double lambda = 1;  ///< and what was drawn for it
  int layer = -1;
};
/// Reads the terms; waits for the device.
StepStats stats_of(const StepLoss& loss);

/// What distinguishes a step from other steps of the same structure, for recorded steps (see StepGraph).
struct StepPlan {
  std::string structure;          ///< steps with equal structure run the same kernels on the same sizes
  std::vector<StepValue> values;  ///< what those kernels read anew
  double lambda = 1;
  int layer = -1;
};

/// One training step's loss from a model and a batch.
class Objective {
 public:
  virtual ~Objective() = default;
  /// A scalar on the tape. Pure in (weights, batch, key): calling it again replays the step, apart from the
  /// running statistics of batch norm, which training forwards update but never read.
  virtual StepLoss loss(Model& model, const Batch& batch, Key step_key) = 0;
  /// The draws of loss() alone, for a batch of so many examples and views; nothing when steps cannot be
  /// recorded.
  virtual std::optional<StepPlan> plan(const Model&, std::int64_t /*examples*/, int /*views*/,
                                       Key /*step_key*/, Device) const {
    return std::nullopt;
  }
  /// Forward and backward passes over the batch in a step, for benchmarks; `views` are the loader's.
  virtual double passes(int views) const { return views; }
  /// After the step's backward pass, once, before the next step.
  virtual void step_done() {}
  /// What the next step depends on besides weights, batch and key, for checkpoints; usually nothing.
  virtual Module::Named state() const { return {}; }
  virtual void load_state(const Module::Named&) {}
};

/// Values of objective.consistency, in the order to show; "none" first.
std::vector<std::string> list_objectives();

/// The objective of a run: its perturbations, mixing and loss. Throws ConfigError for settings out of range.
std::unique_ptr<Objective> make_objective(const Config& config);

/// The same without perturbations.
std::unique_ptr<Objective> make_objective(const ObjectiveConfig& config, const FeatureMixOptions& mix);

/// Views for training, crop_side x crop_side (data.crop) where views.crop is random_resized. Throws
/// ConfigError for an unknown kind.
std::unique_ptr<Views> make_views(const ViewsConfig& config, const Normalization& normalization,
                                  int crop_side = 0);

/// Channel constants by name: half, cifar10, cifar100, imagenet, none.
Normalization make_normalization(const std::string& name);

}  // namespace noisymix
