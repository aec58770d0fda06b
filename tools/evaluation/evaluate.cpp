#include "tools/evaluation/evaluate.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "augment/normalize.h"
#include "data/content_hash.h"
#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/error.h"
#include "tools/evaluation/metrics.h"
#include "tools/evaluation/picture_batch.h"
#include "tools/evaluation/sequence_evaluation.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

bool fits(const EvaluationResults& old, const EvaluationResults& fresh) {
  return old.weights_hash == fresh.weights_hash && old.data_hash == fresh.data_hash &&
         old.parameter_set == fresh.parameter_set && old.settings == fresh.settings &&
         old.evaluation_seed == fresh.evaluation_seed;
}

/// evaluation.json -> evaluation.1.json, or the first number that is free.
fs::path put_aside(const fs::path& file) {
  for (int number = 1;; ++number) {
    fs::path target = file;
    target.replace_extension("." + std::to_string(number) + file.extension().string());
    if (fs::exists(target)) continue;
    fs::rename(file, target);
    return target;
  }
}

/// What an evaluation is about, without results.
EvaluationResults describe(const fs::path& path, const LoadedRun& loaded, const Dataset& data,
                           const EvaluateOptions& options) {
  EvaluationResults results;
  results.run = path.lexically_normal().string();
  results.title =
      loaded.config && !loaded.config->title.empty() ? loaded.config->title : path.filename().string();
  results.seed = loaded.config ? loaded.config->train.seed : 0;
  results.weights_hash = hash_file(loaded.weights);
  results.data = data.description();
  results.data_hash = hash_dataset(data);
  results.parameter_set = name_of(options.parameters);
  results.settings = settings_of(options);
  results.evaluation_seed = options.seed;
  results.version = NOISYMIX_VERSION;
  results.class_names = data.class_names();
  return results;
}

/// Evaluates one variant for the runs that lack it.
class VariantEvaluation {
 public:
  VariantEvaluation(std::vector<EvaluatedRun*> runs, const Dataset& data, const Variant& variant)
      : runs_(std::move(runs)), data_(data), variant_(variant), keepers_(runs_.size()) {}

  void add_batch(std::int64_t first, std::int64_t count) {
    pictures_.load(variant_.data ? *variant_.data : data_, first, count, variant_.corrupt);
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      const LoadedRun& loaded = runs_[r]->loaded;
      Tensor x = pictures_.normalized(loaded.normalization);
      if (variant_.perturb) x = variant_.perturb(x, pictures_.labels(), loaded, first);
      const NoGrad unrecorded;
      const Device device = loaded.model->device();
      const Tensor logits = (*loaded.model)(x.to(device), Context::evaluation()).to(Device{});
      keepers_[r].add(variant_.classes.empty() ? logits : select_classes(logits, variant_.classes),
                      pictures_.labels());
    }
  }

  void finish() {
    for (std::size_t r = 0; r < runs_.size(); ++r) {
      EvaluationResults& results = runs_[r]->results;
      Cell cell = variant_.place;
      keepers_[r].fill(cell);
      if (cell.suite == "clean") keepers_[r].count_confusion(data_.classes(), results.clean_confusion);
      if (cell.suite == "corruptions")
        keepers_[r].count_confusion(data_.classes(), results.corrupted_confusion);
      results.images += cell.count;
      results.cells.push_back(std::move(cell));
    }
  }

 private:
  std::vector<EvaluatedRun*> runs_;
  const Dataset& data_;
  const Variant& variant_;
  std::vector<ScoreKeeper> keepers_;
  PictureBatch pictures_;
};

void save(std::vector<EvaluatedRun*>& runs, double seconds) {
  for (EvaluatedRun* run : runs) {
    run->results.seconds += seconds / static_cast<double>(runs.size());
    if (!run->file.empty()) save_results(run->file, run->results);
  }
}

/// The runs that do not know the variant yet.
std::vector<EvaluatedRun*> lacking(std::vector<EvaluatedRun>& runs, const Variant& variant) {
  std::vector<EvaluatedRun*> result;
  for (EvaluatedRun& run : runs) {
    const Cell& place = variant.place;
    const Cell* known = run.results.find(place.suite, place.type, place.severity, place.level);
    if (known != nullptr && known->count == variant.examples) continue;
    if (known != nullptr)  // measured on fewer or more examples
      run.results.cells.erase(run.results.cells.begin() + (known - run.results.cells.data()));
    result.push_back(&run);
  }
  return result;
}

std::string shown_place(const Cell& place) {
  char text[80];
  if (place.severity > 0) {
    std::snprintf(text, sizeof text, "%s %d", place.type.c_str(), place.severity);
  } else if (place.level > 0) {
    std::snprintf(text, sizeof text, "%s %.3g", place.type.c_str(), place.level);
  } else {
    std::snprintf(text, sizeof text, "%s", place.type.c_str());
  }
  return text;
}

}  // namespace

EvaluatedRun open_evaluated_run(const fs::path& path, Device device, const Dataset& data,
                                const EvaluateOptions& options,
                                const std::function<void(const std::string&)>& notice) {
  EvaluatedRun run;
  run.loaded = load_run(path);
  run.loaded.model->to(device);
  run.results = describe(path, run.loaded, data, options);
  run.file = results_file(path);
  if (!fs::exists(run.file)) return run;
  EvaluationResults old = load_results(run.file);
  if (fits(old, run.results)) {
    old.run = run.results.run;
    run.results = std::move(old);
  } else {
    const fs::path target = put_aside(run.file);
    if (notice)
      notice(run.file.string() + " holds results of other weights, data, constants or seed; it is now " +
             target.filename().string());
  }
  return run;
}

bool evaluate_runs(std::vector<EvaluatedRun>& runs, const Dataset& data, const std::vector<Variant>& variants,
                   const EvaluateOptions& options, const EvaluationObserver& observer) {
  EvaluationProgress progress;
  std::vector<std::vector<EvaluatedRun*>> pending;
  for (const Variant& variant : variants) {
    pending.push_back(lacking(runs, variant));
    progress.total +=
        variant.passes * static_cast<double>(variant.examples) * static_cast<double>(pending.back().size());
  }
  const SequenceEvaluation sequences(runs, data, options);
  progress.total += sequences.passes();
  const auto tell = [&](double passes) {
    progress.done += passes;
    if (observer.progress) observer.progress(progress);
    return !(observer.should_stop && observer.should_stop());
  };
  for (std::size_t v = 0; v < variants.size(); ++v) {
    if (pending[v].empty()) continue;
    const Variant& variant = variants[v];
    const double start = steady_seconds();
    progress.place = shown_place(variant.place);
    VariantEvaluation evaluation(pending[v], data, variant);
    for (std::int64_t first = 0; first < variant.examples; first += options.batch) {
      const std::int64_t count = std::min(options.batch, variant.examples - first);
      evaluation.add_batch(first, count);
      if (!tell(variant.passes * static_cast<double>(count * static_cast<std::int64_t>(pending[v].size()))))
        return false;
    }
    evaluation.finish();
    save(pending[v], steady_seconds() - start);
  }
  return sequences.run(progress, tell);
}

}  // namespace noisymix
