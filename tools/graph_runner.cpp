// Training steps recorded as graphs: see step_runner.h.
#include <cmath>
#include <map>
#include <optional>
#include <sstream>
#include <utility>

#include "engine/autograd.h"
#include "engine/ops/gradient_sum.h"
#include "engine/step_graph.h"
#include "tools/divergence.h"
#include "tools/step_runner.h"

namespace noisymix {
namespace {

/// One recorded step: where it reads its batch and leaves its results.
struct Recorded {
  Batch batch;
  Tensor loss, terms, non_finite;
  std::unique_ptr<StepGraph> graph;
};

class GraphRunner final : public StepRunner {
 public:
  GraphRunner(const StepParts& parts, std::function<void(const std::string&)> notice)
      : parts_(parts), notice_(std::move(notice)), eager_(make_eager_runner(parts)), memory_(parts.device) {}

  StepOutcome run(const Batch& batch, const StepSettings& settings) override {
    std::optional<StepPlan> plan;
    if (recording_)
      plan = parts_.objective.plan(parts_.model, batch.size(), batch.views, settings.key, parts_.device);
    if (recording_ && !plan) give_up("this objective's steps cannot be recorded");
    if (!plan) return eager_->run(batch, settings);
    for (StepValue& value : parts_.optimizer.step_values(settings.lr))
      plan->values.push_back(std::move(value));

    std::ostringstream name;
    name << plan->structure << ", images " << batch.images.shape();
    const auto found = recorded_.find(name.str());
    if (found == recorded_.end()) {  // the first time also chooses algorithms, which cannot be recorded
      recorded_.emplace(name.str(), std::nullopt);
      return eager_->run(batch, settings);
    }
    if (!found->second) {
      found->second.emplace();
      record(*found->second, batch, settings);
      if (const std::string missing = lacking(*found->second->graph, plan->values); !missing.empty()) {
        give_up("the objective does not provide '" + missing + "', which the model reads anew in every step");
        recorded_.clear();
        parts_.optimizer.uncount_step();
        return eager_->run(batch, settings);
      }
    } else {
      parts_.optimizer.count_step();
    }
    return replay(*found->second, batch, settings, *plan);
  }

 private:
  void give_up(const std::string& reason) {
    recording_ = false;
    if (notice_) notice_("training runs op by op: " + reason);
  }

  /// Records without running; what the optimizer counts is counted.
  void record(Recorded& step, const Batch& batch, const StepSettings& settings) {
    step.batch = batch;
    step.batch.images = Tensor::empty(batch.images.shape(), parts_.precision, parts_.device);
    step.batch.labels = Tensor::empty(batch.labels.shape(), Dtype::i64, parts_.device);
    step.graph = std::make_unique<StepGraph>(memory_, [&] {
      const StepLoss result = parts_.objective.loss(parts_.model, step.batch, settings.key);
      backward(result.loss);
      step.loss = result.loss.detach();
      step.terms = result.terms;
      step.non_finite = non_finite(parts_.optimizer.gradients());
      parts_.optimizer.step(settings.lr, step.non_finite);
      parts_.optimizer.clear_grads();
    });
  }

  /// The first value that the graph needs and nobody provides, or that is provided for nothing.
  static std::string lacking(const StepGraph& graph, const std::vector<StepValue>& values) {
    const std::vector<std::string> names = graph.names();
    for (const std::string& name : names) {
      bool there = false;
      for (const auto& value : values) there = there || value.first == name;
      if (!there) return name;
    }
    return names.size() == values.size() ? "" : "as many values as were recorded";
  }

  StepOutcome replay(Recorded& step, const Batch& batch, const StepSettings& settings, const StepPlan& plan) {
    step.batch.images.copy_from(batch.images.to(parts_.device).to(parts_.precision));
    step.batch.labels.copy_from(batch.labels.to(parts_.device));
    step.graph->replay(plan.values);
    const double loss = step.loss.item();
    if (!std::isfinite(loss) || step.non_finite.item() != 0) explain(step, settings, loss);
    StepOutcome outcome{loss, stats_of({step.loss, step.terms, {}, plan.lambda, plan.layer})};
    return outcome;
  }

  /// The update was held back on the device, so the step can be computed again op by op.
  [[noreturn]] void explain(const Recorded& step, const StepSettings& settings, double loss) {
    parts_.optimizer.uncount_step();
    const FailedStep here{parts_.model,  parts_.objective, step.batch,  settings.key,
                          settings.step, settings.epoch,   settings.lr, settings.last_checkpoint};
    if (!std::isfinite(loss)) explain_loss(here, loss);
    backward(parts_.objective.loss(parts_.model, step.batch, settings.key).loss);
    check_gradients(here);
    parts_.optimizer.clear_grads();
    fail_unrepeatable(here);
  }

  StepParts parts_;
  std::function<void(const std::string&)> notice_;
  std::unique_ptr<StepRunner> eager_;
  bool recording_ = true;
  StepGraphMemory memory_;
  std::map<std::string, std::optional<Recorded>> recorded_;  // empty: seen once
};

}  // namespace

std::unique_ptr<StepRunner> make_graph_runner(const StepParts& parts,
                                              std::function<void(const std::string&)> notice) {
  return std::make_unique<GraphRunner>(parts, std::move(notice));
}

}  // namespace noisymix
