#include "tools/divergence.h"

#include "engine/autograd.h"
#include "tools/trainer.h"

namespace noisymix {
namespace {

[[noreturn]] void fail_step(const FailedStep& failed, const std::string& what, const std::string& origin) {
  const std::string saved = failed.last_checkpoint.empty() ? "" : "; the last good state is " + failed.last_checkpoint.string();
  fail<DivergedError>("training diverged at step ", failed.step + 1, " (epoch ", failed.epoch + 1, ", lr ", failed.lr,
                      "): ", what, ", ", origin, ". Nothing was updated", saved,
                      ". Try a smaller optimizer.lr or more schedule.warmup_epochs");
}

/// Where the first non-finite value of the step's forward pass comes from.
std::string first_origin(const FailedStep& failed) {
  for (const auto& [name, parameter] : failed.model.parameters()) {
    if (!all_finite(parameter)) return "first in the weights: " + name + " left the range of its type in an earlier update";
  }
  if (!all_finite(failed.batch.images)) return "first in the images of the batch";
  try {
    const FiniteCheck check;
    const NoGrad unrecorded;
    StepStats stats;
    failed.objective.loss(failed.model, failed.batch, failed.key, stats);
  } catch (const NonFiniteError& error) {
    return std::string("first in ") + error.what();
  }
  return "but not when the step is computed again: suspect the machine's memory or processor";
}

}  // namespace

void explain_loss(const FailedStep& failed, double loss) {
  fail_step(failed, detail::concat_message("the loss is ", loss), first_origin(failed));
}

void check_gradients(const FailedStep& failed) {
  for (const auto& [name, parameter] : failed.model.parameters()) {
    const Tensor gradient = parameter.grad();
    if (!gradient.defined() || all_finite(gradient)) continue;
    fail_step(failed, "the loss is finite but a gradient is not", "first in parameter " + name);
  }
}

}  // namespace noisymix
