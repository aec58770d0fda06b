#include "tools/bench_step.h"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/cpu/parallel.h"
#include "engine/math_policy.h"
#include "engine/nearest_name.h"
#include "engine/ops/random.h"
#include "engine/profile.h"
#include "tools/bench_profile.h"
#include "tools/ready_configs.h"
#include "tools/scheme.h"
#include "tools/step_runner.h"
#include "tools/training_setup.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

constexpr std::int64_t kSide = 32, kChannels = 3;

double rounded(double value, int digits) {
  const double scale = std::pow(10.0, digits);
  return std::round(value * scale) / scale;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : 0.5 * (values[middle - 1] + values[middle]);
}

Batch random_batch(const BenchStepOptions& options, int views) {
  const Key key = Key(0).child("bench");
  Batch batch;
  batch.images = random_normal({options.batch * views, kSide, kSide, kChannels}, key.child("images"));
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < options.batch; ++i)
    labels.push_back(key.child("labels").below(static_cast<std::uint64_t>(i), options.classes));
  batch.labels = Tensor::from(labels, {options.batch});
  batch.views = views;
  return batch;
}

/// The settings of a scheme, as training with it on CIFAR-10 has them.
Config config_of(const std::string& scheme) {
  const std::string name = "cifar10-" + (scheme == "plain" ? "baseline" : scheme);
  const ConfigSource source = find_config(name);
  return parse_config(source.name, source.text, {});
}

/// The scheme's objectives, one per stage that may be mixed, which take turns: so the benchmark's time does
/// not depend on which stages a few random draws pick.
class InTurn final : public Objective {
 public:
  InTurn(Config config, const Model& model) {
    if (!config.mix.active() || config.input_mix.kind != "features") {
      config.input_mix.probability = 1;  // steps that do not mix are plain ones
      all_.push_back(make_objective(config));
      return;
    }
    for (const int stage : config.mix.layers.empty() ? model.stages() : config.mix.layers) {
      config.mix.layers = {stage};
      all_.push_back(make_objective(config));
    }
  }
  std::size_t count() const { return all_.size(); }
  void turn_to(int step) { current_ = static_cast<std::size_t>(step) % all_.size(); }
  StepLoss loss(Model& model, const Batch& batch, Key key) override {
    return all_[current_]->loss(model, batch, key);
  }
  double passes(int views) const override { return all_[current_]->passes(views); }
  void step_done() override { all_[current_]->step_done(); }
  std::optional<StepPlan> plan(const Model& model, std::int64_t examples, int views, Key key,
                               Device device) const override {
    return all_[current_]->plan(model, examples, views, key, device);
  }

 private:
  std::vector<std::unique_ptr<Objective>> all_;
  std::size_t current_ = 0;
};

void check(const BenchStepOptions& o) {
  const std::vector<std::string> schemes = bench_schemes_known();
  const std::string near = nearest_name(o.scheme, schemes);
  NM_CHECK_AS(
      ConfigError, std::find(schemes.begin(), schemes.end(), o.scheme) != schemes.end(),
      "--scheme is infer, plain or what follows cifar10- in the name of a ready configuration, not \"",
      o.scheme, '"', near.empty() ? "" : "; did you mean " + near + "?");
  NM_CHECK_AS(ConfigError, o.dtype == "f32" || o.dtype == "bf16" || (o.dtype == "tf32" && !o.device.is_cpu()),
              "--dtype is f32, bf16 or (on a GPU) tf32, not \"", o.dtype, '"');
  NM_CHECK_AS(ConfigError, o.batch > 0 && o.steps > 0 && o.warmup >= 0 && o.classes > 0 && o.threads >= 0,
              "--batch, --steps and --classes are positive, --warmup and --threads not negative");
}

std::int64_t peak_mib() {
  struct ::rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;  // Linux counts KiB
}

}  // namespace

namespace {

/// The network, its data and a runner per objective: what a benchmark steps through.
class Workload {
 public:
  explicit Workload(const BenchStepOptions& options)
      : infer_(options.scheme == "infer"), config_(config_of(infer_ ? "plain" : options.scheme)) {
    views_ = view_count(config_.views);
    ModelOptions model_options;
    model_options.classes = options.classes;
    model_options.width = options.width;
    if (options.dropout >= 0) model_options.dropout = options.dropout;
    model_ = make_model(options.arch, model_options, Key(0).child("init"));
    model_->to(options.device);
    const Dtype precision = options.dtype == "bf16" ? Dtype::bf16 : Dtype::f32;
    batch_ = random_batch(options, views_);
    batch_.images = batch_.images.to(options.device).to(precision);
    batch_.labels = batch_.labels.to(options.device);
    optimizer_ = make_optimizer({}, model_->parameters());
    objective_ = std::make_unique<InTurn>(config_, *model_);
    const StepParts parts{*model_, *objective_, *optimizer_, options.device, precision};
    const bool recorded = StepGraph::available(options.device) && !options.eager && !options.profile;
    runner_ = recorded ? make_graph_runner(parts) : make_eager_runner(parts);
  }

  int views() const { return views_; }
  double passes() const { return infer_ ? 0 : objective_->passes(views_); }
  /// Steps until every objective has been recorded.
  int shortest_warmup() const {
    return batch_.images.device().is_cpu() ? 0 : 2 * static_cast<int>(objective_->count());
  }

  void step(int i) {
    if (infer_) {
      const NoGrad unrecorded;
      (*model_)(batch_.images, Context::evaluation());
      backend_of(batch_.images.device()).synchronize();
      return;
    }
    const StepSettings settings{
        .key = Key(0).child("step").child(i), .lr = 0.1, .step = i, .epoch = 0, .last_checkpoint = {}};
    objective_->turn_to(i);
    runner_->run(batch_, settings);
  }

 private:
  bool infer_;
  Config config_;
  int views_ = 1;
  std::unique_ptr<Model> model_;
  Batch batch_;
  std::unique_ptr<Optimizer> optimizer_;
  std::unique_ptr<InTurn> objective_;
  std::unique_ptr<StepRunner> runner_;
};

}  // namespace

std::vector<std::string> bench_schemes_known() {
  std::vector<std::string> names = {"plain", "infer"};
  for (const ReadyConfig& config : ready_configs()) {
    if (config.name.starts_with("cifar10-")) names.emplace_back(config.name.substr(8));
  }
  return names;
}

BenchStepResult bench_step(const BenchStepOptions& options) {
  check(options);
  if (options.threads > 0) cpu::set_threads(options.threads);
  set_math_policy({.tf32 = options.dtype == "tf32", .deterministic = options.deterministic});
  Workload work(options);
  const int warmup = std::max(options.warmup, work.shortest_warmup());
  for (int i = 0; i < warmup; ++i) work.step(i);
  Backend& backend = backend_of(options.device);
  const std::int64_t allocations = backend.memory().system_calls;
  std::vector<double> seconds;
  std::optional<Profile> profile;
  if (options.profile) profile.emplace();
  for (int i = 0; i < options.steps; ++i) {
    const double start = steady_seconds();
    work.step(warmup + i);
    seconds.push_back(steady_seconds() - start);
  }
  const double middle = median(seconds), images = static_cast<double>(options.batch);
  BenchStepResult result{
      .peer = std::string("noisymix ") + NOISYMIX_VERSION,
      .arch = options.arch,
      .scheme = options.scheme,
      .device = options.device.str(),
      .dtype = options.dtype,
      .batch = options.batch,
      .step_s = middle,
      .views_per_s = images * work.views() / middle,
      .base_images_per_s = images / middle,
      .passes = work.passes(),
      .peak_mib = options.device.is_cpu() ? peak_mib() : backend.memory().peak_in_use >> 20,
      .system_allocations = backend.memory().system_calls - allocations,
      .profile = {}};
  if (profile) {
    double total = 0;
    for (const double s : seconds) total += s;
    const BenchPeakResult peak = options.device.is_cpu() ? bench_peak() : BenchPeakResult{};
    result.profile =
        profile_table(*profile, options.steps, total / options.steps, options.dtype == "bf16", peak);
  }
  return result;
}

std::string to_json(const BenchStepResult& r) {
  return nlohmann::ordered_json{{"peer", r.peer},
                                {"arch", r.arch},
                                {"scheme", r.scheme},
                                {"device", r.device},
                                {"dtype", r.dtype},
                                {"batch", r.batch},
                                {"step_s", rounded(r.step_s, 5)},
                                {"views_per_s", rounded(r.views_per_s, 1)},
                                {"base_images_per_s", rounded(r.base_images_per_s, 1)},
                                {"passes", r.passes},
                                {"peak_mib", r.peak_mib}}
      .dump();
}

std::string to_text(const BenchStepResult& r) {
  char text[256];
  std::snprintf(text, sizeof text,
                "%s %s, batch %lld, %s on %s: %.3f s a step, %.1f views/s, %.1f images/s, peak %lld MiB, "
                "%lld system allocations\n",
                r.arch.c_str(), r.scheme.c_str(), static_cast<long long>(r.batch), r.dtype.c_str(),
                r.device.c_str(), r.step_s, r.views_per_s, r.base_images_per_s,
                static_cast<long long>(r.peak_mib), static_cast<long long>(r.system_allocations));
  return r.profile.empty() ? text : text + ("\n" + r.profile);
}

}  // namespace noisymix
