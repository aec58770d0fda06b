#include "tools/step_runner.h"

#include <cmath>

#include "engine/autograd.h"
#include "engine/ops/gradient_sum.h"
#include "tools/divergence.h"

namespace noisymix {
namespace {

class EagerRunner final : public StepRunner {
 public:
  explicit EagerRunner(const StepParts& parts) : parts_(parts) {}

  StepOutcome run(const Batch& given, const StepSettings& settings) override {
    Batch batch = given;
    batch.images = given.images.to(parts_.device).to(parts_.precision);
    batch.labels = given.labels.to(parts_.device);
    const FailedStep here{parts_.model,  parts_.objective, batch,       settings.key,
                          settings.step, settings.epoch,   settings.lr, settings.last_checkpoint};
    const StepLoss result = parts_.objective.loss(parts_.model, batch, settings.key);
    const double loss = result.loss.item();
    if (!std::isfinite(loss)) explain_loss(here, loss);
    backward(result.loss);
    check_gradients(here);
    parts_.objective.step_done();
    parts_.optimizer.step(settings.lr);
    parts_.optimizer.clear_grads();
    return {loss, stats_of(result)};
  }

 private:
  StepParts parts_;
};

}  // namespace

std::unique_ptr<StepRunner> make_eager_runner(const StepParts& parts) {
  return std::make_unique<EagerRunner>(parts);
}

}  // namespace noisymix
