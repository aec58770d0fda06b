#include "tools/evaluation/sequence_evaluation.h"

#include <algorithm>
#include <memory>
#include <string>

#include "engine/autograd.h"
#include "engine/backend.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "tools/evaluation/flips.h"
#include "tools/evaluation/picture_batch.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

/// Streams of a batch of examples, which give one frame of each at a time.
class FrameBatch {
 public:
  FrameBatch(const Sequence& sequence, const Dataset& data, std::int64_t first, std::int64_t count,
             const std::function<Key(std::int64_t)>& key_of)
      : frames_(static_cast<std::size_t>(count)), streams_(static_cast<std::size_t>(count)) {
    for (std::int64_t i = 0; i < count; ++i)
      streams_[static_cast<std::size_t>(i)] = sequence.start(data.get(first + i).image, key_of(first + i));
  }

  /// Moves to the next frame.
  void next() {
    cpu::parallel_for(static_cast<std::int64_t>(frames_.size()), 1,
                      [this](std::int64_t begin, std::int64_t end) {
                        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i)
                          streams_[i]->next(frames_[i]);
                      });
  }

  Tensor normalized(const Normalization& normalization) const {
    std::vector<const Image*> images;
    for (const Image& frame : frames_) images.push_back(&frame);
    return normalized_batch(images, normalization);
  }

 private:
  std::vector<Image> frames_;
  std::vector<std::unique_ptr<FrameStream>> streams_;
};

/// Predictions of one run over all sequences of a task.
struct RunScores {
  EvaluatedRun* run = nullptr;
  std::vector<double> flips, top5, zipf;  ///< per sequence

  void add(const FlipKeeper& keeper) {
    append(flips, keeper.flip_fractions());
    append(top5, keeper.top5_distances());
    append(zipf, keeper.zipf_distances());
  }
  static void append(std::vector<double>& all, const std::vector<double>& more) {
    all.insert(all.end(), more.begin(), more.end());
  }
  static double mean(const std::vector<double>& values) {
    double sum = 0;
    for (const double value : values) sum += value;
    return values.empty() ? 0 : sum / static_cast<double>(values.size());
  }
};

}  // namespace

SequenceEvaluation::SequenceEvaluation(std::vector<EvaluatedRun>& runs, const Dataset& data,
                                       const EvaluateOptions& options)
    : data_(data), options_(options), examples_(data.size()) {
  if (!options.has(Suite::sequences)) return;
  if (options.sequence_limit > 0) examples_ = std::min(examples_, options.sequence_limit);
  const auto types = options.sequences.empty() ? sequences_named({"benchmark"}) : options.sequences;
  for (const SequenceType type : types) {
    for (const int difficulty : options.difficulties) {
      Task task{type, difficulty, {}};
      for (EvaluatedRun& run : runs) {
        const SequenceScores* known = run.results.find_sequence(name_of(type), difficulty);
        if (known != nullptr && known->count == examples_) continue;
        if (known != nullptr)
          run.results.sequences.erase(run.results.sequences.begin() + (known - run.results.sequences.data()));
        task.runs.push_back(&run);
      }
      if (!task.runs.empty()) tasks_.push_back(std::move(task));
    }
  }
}

double SequenceEvaluation::passes(const Task& task) const {
  const int frames = make_sequence(task.type, options_.parameters, task.difficulty)->frames();
  return static_cast<double>(examples_) * frames * static_cast<double>(task.runs.size());
}

double SequenceEvaluation::passes() const {
  double sum = 0;
  for (const Task& task : tasks_) sum += passes(task);
  return sum;
}

bool SequenceEvaluation::run(EvaluationProgress& progress, const std::function<bool(double)>& tell) const {
  for (const Task& task : tasks_) {
    progress.place = std::string("sequence ") + name_of(task.type);
    if (!run_task(task, tell)) return false;
  }
  return true;
}

bool SequenceEvaluation::run_task(const Task& task, const std::function<bool(double)>& tell) const {
  const NoGrad unrecorded;
  const double start = steady_seconds();
  const auto sequence = make_sequence(task.type, options_.parameters, task.difficulty);
  const bool noise = is_noise(task.type);
  std::vector<RunScores> scores;
  for (EvaluatedRun* run : task.runs) scores.push_back({run, {}, {}, {}});
  for (std::int64_t first = 0; first < examples_; first += options_.batch) {
    const std::int64_t count = std::min(options_.batch, examples_ - first);
    FrameBatch batch(*sequence, data_, first, count, [&](std::int64_t index) {
      return sequence_key(options_.seed, task.type, task.difficulty, index);
    });
    std::vector<FlipKeeper> keepers(scores.size(), FlipKeeper(noise, task.difficulty));
    for (int frame = 0; frame < sequence->frames(); ++frame) {
      batch.next();
      for (std::size_t r = 0; r < scores.size(); ++r) {
        const LoadedRun& loaded = scores[r].run->loaded;
        const Tensor x = batch.normalized(loaded.normalization).to(loaded.model->device());
        keepers[r].add((*loaded.model)(x, Context::evaluation()).to(Device{}));
      }
      if (!tell(static_cast<double>(count) * static_cast<double>(scores.size()))) return false;
    }
    for (std::size_t r = 0; r < scores.size(); ++r) scores[r].add(keepers[r]);
  }
  for (RunScores& score : scores) {
    EvaluationResults& results = score.run->results;
    SequenceScores entry{name_of(task.type),
                         noise,
                         task.difficulty,
                         examples_,
                         sequence->frames(),
                         RunScores::mean(score.flips),
                         RunScores::mean(score.top5),
                         RunScores::mean(score.zipf),
                         {score.flips.begin(), score.flips.end()}};
    results.sequences.push_back(std::move(entry));
    results.images += examples_ * sequence->frames();
    results.seconds += (steady_seconds() - start) / static_cast<double>(scores.size());
    if (!score.run->file.empty()) save_results(score.run->file, results);
  }
  return true;
}

}  // namespace noisymix
