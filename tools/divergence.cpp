#include "tools/divergence.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/gradient_sum.h"
#include "tools/trainer.h"

namespace noisymix {
namespace {

[[noreturn]] void fail_step(const FailedStep& failed, const std::string& what, const std::string& origin) {
  const std::filesystem::path& checkpoint = failed.last_checkpoint;
  const std::string saved = checkpoint.empty() ? "" : "; the last good state is " + checkpoint.string();
  fail<DivergedError>("training diverged at step ", failed.step + 1, " (epoch ", failed.epoch + 1, ", lr ",
                      failed.lr, "): ", what, "; ", origin, ". The weights were not updated", saved,
                      ". Try a smaller optimizer.lr or more schedule.warmup_epochs");
}

/// Where the first non-finite value of the step's forward pass comes from.
std::string first_origin(const FailedStep& failed) {
  for (const auto& [name, parameter] : failed.model.parameters()) {
    if (!all_finite(parameter))
      return "weight " + name + " already left the range of its type in an earlier update";
  }
  if (!all_finite(failed.batch.images)) return "the images of the batch hold such a value";
  try {
    const FiniteCheck check;
    const NoGrad unrecorded;
    failed.objective.loss(failed.model, failed.batch, failed.key);
  } catch (const NonFiniteError& error) {
    return std::string("the first cause: ") + error.what();
  }
  return "computed again it is finite: suspect the machine's memory or processor";
}

}  // namespace

void explain_loss(const FailedStep& failed, double loss) {
  fail_step(failed, std::isnan(loss) ? "the loss is not a number" : "the loss is infinite",
            first_origin(failed));
}

void check_gradients(const FailedStep& failed) {
  std::vector<Tensor> gradients;
  for (const auto& [name, parameter] : failed.model.parameters())
    if (parameter.grad().defined()) gradients.push_back(parameter.grad());
  if (gradients.empty() || non_finite(gradients).item() == 0) return;  // one answer for all
  for (const auto& [name, parameter] : failed.model.parameters()) {
    const Tensor gradient = parameter.grad();
    if (!gradient.defined() || all_finite(gradient)) continue;
    fail_step(failed, "the loss is finite but a gradient is not", "the first is that of " + name);
  }
}

void fail_unrepeatable(const FailedStep& failed) {
  fail_step(failed, "a gradient is not finite", "computed again it is: suspect the machine's memory or processor");
}

}  // namespace noisymix
