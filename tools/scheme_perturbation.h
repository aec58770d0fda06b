// Rest of the first choice of a scheme: views that are made during the step, because they need the network or
// the whole batch. Every kind is a small class behind one interface.
#pragma once

#include <memory>

#include "data/loader.h"
#include "layers/module.h"
#include "models/registry.h"
#include "tools/config.h"

namespace noisymix {

/// The views a step trains on, view-major as in Batch.
struct PerturbedViews {
  Tensor images;  ///< [views * b, ...]
  int own = 1;    ///< the first of them: those that objective.* is about
  int views = 1;  ///< the rest are perturbed copies, compared with the first view by perturb.consistency
};

class Perturbation {
 public:
  virtual ~Perturbation() = default;
  /// Pure in (weights, batch, key, state): may be asked again for the same step.
  virtual PerturbedViews make(Model& model, const Batch& batch, Key key) = 0;
  /// Views that make() returns for so many of the loader's.
  virtual int views(int given) const { return given; }
  /// Forward and backward passes over the batch that make() takes: what a step costs beyond its views.
  virtual double passes() const { return 0; }
  /// After the step's backward pass: what the perturbation learns from it. Called once per step.
  virtual void step_done() {}
  /// Tensors that the next step depends on, for checkpoints.
  virtual Module::Named state() const { return {}; }
  virtual void load_state(const Module::Named&) {}
};

/// Null for kind "none". `key` is the run's, for what outlives a step. Throws ConfigError for settings out of
/// range.
std::unique_ptr<Perturbation> make_perturbation(const PerturbConfig& config,
                                                const Normalization& normalization, Key key);

/// Free adversarial training (in a file of its own, because it has a state).
std::unique_ptr<Perturbation> make_free_perturbation(double epsilon, const Normalization& normalization);

/// The logits of a network in evaluation mode, as attacks ask for them: in the precision of their input.
Tensor evaluation_logits(Model& model, const Tensor& x);

}  // namespace noisymix
