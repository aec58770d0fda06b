#include "tools/bench_step.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>
#include <optional>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/random.h"
#include "engine/profile.h"
#include "tools/bench_profile.h"
#include "tools/scheme.h"
#include "tools/training_setup.h"

namespace noisymix {
namespace {

constexpr std::int64_t kSide = 32, kChannels = 3;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

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

/// One objective per stage that may be mixed: the benchmark visits them in turn, so that its time does not
/// depend on which ones a few random draws pick.
std::vector<std::unique_ptr<Objective>> objectives(const std::string& scheme, const Model& model) {
  ObjectiveConfig objective;
  if (scheme != "plain") objective.consistency = "jensen_shannon";
  std::vector<std::unique_ptr<Objective>> made;
  if (scheme != "noisymix") {
    made.push_back(make_objective(objective, {}));
    return made;
  }
  for (const int stage : model.stages()) {
    FeatureMixOptions mix;
    mix.mix = true;
    mix.add = mix.mult = 0.5;
    mix.sparse = 0.65;
    mix.layers = {stage};
    made.push_back(make_objective(objective, mix));
  }
  return made;
}

void check(const BenchStepOptions& o) {
  const auto& s = o.scheme;
  NM_CHECK_AS(ConfigError, s == "plain" || s == "augmix" || s == "noisymix" || s == "infer",
              "--scheme is plain, augmix, noisymix or infer, not \"", s, '"');
  NM_CHECK_AS(ConfigError, o.dtype == "f32" || o.dtype == "bf16", "--dtype is f32 or bf16, not \"", o.dtype,
              '"');
  NM_CHECK_AS(ConfigError, o.batch > 0 && o.steps > 0 && o.warmup >= 0 && o.classes > 0 && o.threads >= 0,
              "--batch, --steps and --classes are positive, --warmup and --threads not negative");
}

std::int64_t peak_mib() {
  struct ::rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;  // Linux counts KiB
}

}  // namespace

BenchStepResult bench_step(const BenchStepOptions& options) {
  check(options);
  if (options.threads > 0) cpu::set_threads(options.threads);
  ModelOptions model_options;
  model_options.classes = options.classes;
  if (options.dropout >= 0) model_options.dropout = options.dropout;
  const auto model = make_model(options.arch, model_options, Key(0).child("init"));
  const bool infer = options.scheme == "infer";
  const int views = options.scheme == "augmix" || options.scheme == "noisymix" ? 3 : 1;
  Batch batch = random_batch(options, views);
  if (options.dtype == "bf16") batch.images = batch.images.to(Dtype::bf16);
  const auto optimizer = make_optimizer({}, model->parameters());
  const auto schemes = objectives(infer ? "plain" : options.scheme, *model);

  const auto step = [&](int i) {
    if (infer) {
      const NoGrad unrecorded;
      (*model)(batch.images, Context::evaluation());
      return;
    }
    StepStats stats;
    const auto& objective = schemes[static_cast<std::size_t>(i) % schemes.size()];
    backward(objective->loss(*model, batch, Key(0).child("step").child(i), stats));
    optimizer->step(0.1);
    optimizer->clear_grads();
  };
  for (int i = 0; i < options.warmup; ++i) step(i);
  const std::int64_t allocations = backend_of(Device{}).memory().system_calls;
  std::vector<double> seconds;
  std::optional<Profile> profile;
  if (options.profile) profile.emplace();
  for (int i = 0; i < options.steps; ++i) {
    const double start = now();
    step(i);
    seconds.push_back(now() - start);
  }
  const double middle = median(seconds), images = static_cast<double>(options.batch);
  BenchStepResult result{.peer = std::string("noisymix ") + NOISYMIX_VERSION,
                         .arch = options.arch,
                         .scheme = options.scheme,
                         .device = "cpu",
                         .dtype = options.dtype,
                         .batch = options.batch,
                         .step_s = middle,
                         .views_per_s = images * views / middle,
                         .base_images_per_s = images / middle,
                         .peak_mib = peak_mib(),
                         .system_allocations = backend_of(Device{}).memory().system_calls - allocations,
                         .profile = {}};
  if (profile) {
    double total = 0;
    for (const double s : seconds) total += s;
    result.profile =
        profile_table(*profile, options.steps, total / options.steps, options.dtype == "bf16", bench_peak());
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
