#include "tools/sweep/sweep_run.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>

#include "data/file_bytes.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/run_directory.h"
#include "tools/sweep/child_process.h"
#include "tools/sweep/sweep_columns.h"
#include "tools/work_progress.h"
#if defined(NOISYMIX_CUDA) && !defined(NOISYMIX_CUDA_EMULATED)
#include "engine/cuda/backend.h"
#endif

namespace noisymix {
namespace {

namespace fs = std::filesystem;

constexpr auto kPause = std::chrono::milliseconds(50);
constexpr double kLookSeconds = 1;  // between looks into the logs of running trainings

/// While alive, no other sweep works in the folder. Children inherit the lock: when their parent is killed,
/// it holds until they have finished their steps.
class FolderLock {
 public:
  explicit FolderLock(const fs::path& out) {
    const fs::path file = out / ".lock";
    descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT, 0666);
    NM_CHECK_AS(DataError, descriptor_ >= 0, file.string(), ": cannot open this file");
    const bool free = ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0;
    if (!free) ::close(descriptor_);
    NM_CHECK_AS(ConfigError, free, out.string(),
                ": another sweep, or what one that was killed left running, is at work in this folder");
  }
  ~FolderLock() { ::close(descriptor_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int descriptor_ = -1;
};

int cores() {
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::string percent(double fraction) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * fraction);
  return text;
}

/// "clean 93.20 %, corruptions 74.11 %".
std::string headline(const EvaluationResults& results) {
  std::string text;
  for (const auto& [key, name] : {std::pair{"clean", "clean"}, {"corruption", "corruptions"}}) {
    if (const auto value = column_value(key, results))
      text += (text.empty() ? "" : ", ") + std::string(name) + " " + percent(*value);
  }
  return text;
}

/// How the runs share the machine.
struct Shares {
  int jobs = 1, gpus = 0;
  int threads = 0;  // of one job; 0: as many as it likes

  Shares(const SweepOptions& options, std::size_t runs) {
    const bool spread = options.device == "auto" || options.device == "cuda";
    gpus = spread ? usable_gpus() : 0;
    const int room = gpus > 0 ? gpus : options.device.starts_with("cuda") ? 1 : cores();
    jobs = options.jobs > 0 ? options.jobs : room;
    jobs = std::max(1, std::min(jobs, static_cast<int>(runs)));
    threads = options.threads;
    if (jobs > 1) threads = std::max(1, (threads > 0 ? threads : cores()) / jobs);
  }
};

/// What is known of each run's length.
class WorkTable {
 public:
  WorkTable(const Sweep& sweep, const std::vector<SweepRun>& runs)
      : sweep_(sweep), runs_(runs), work_(runs.size()) {
    for (std::size_t i = 0; i < runs.size(); ++i) look(i);
  }

  void look(std::size_t i) {
    const SweepRun& run = runs_[i];
    SweepWork& work = work_[i];
    const TrainingProgress progress = training_progress(run.folder);
    work.row = run.row;
    work.step_views = static_cast<double>(run.config.train.batch * view_count(run.config.views));
    work.step_seconds = progress.step_seconds;
    work.steps_done = static_cast<double>(progress.step);
    if (progress.steps_per_epoch > 0) work.steps = steps(run.config, progress.steps_per_epoch);
    progress_[run.row] = progress.steps_per_epoch > 0 ? progress.steps_per_epoch : progress_[run.row];
  }

  void done(std::size_t i, const EvaluationResults& results) {
    work_[i].trained = work_[i].evaluated = true;
    work_[i].evaluation_seconds = results.seconds;
  }
  void trained(std::size_t i) { work_[i].trained = true; }
  void failed(std::size_t i) { work_[i].failed = true; }

  SweepEstimate estimate(int jobs) {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      if (work_[i].steps == 0) work_[i].steps = guessed_steps(runs_[i]);
    }
    return estimate_remaining(work_, jobs);
  }

  std::string place(std::size_t i) const {
    const SweepWork& work = work_[i];
    if (work.trained) return runs_[i].name + ", evaluating";
    if (work.steps == 0) return runs_[i].name + ", starting";
    const std::int64_t epochs = runs_[i].config.train.epochs;
    const double share = work.steps_done / work.steps * static_cast<double>(epochs);
    return runs_[i].name + ", epoch " +
           std::to_string(std::min(epochs, static_cast<std::int64_t>(share) + 1)) + " of " +
           std::to_string(epochs);
  }

 private:
  static double steps(const Config& config, std::int64_t per_epoch) {
    const double all = static_cast<double>(config.train.epochs) * static_cast<double>(per_epoch);
    return config.train.max_steps > 0 ? std::min(all, static_cast<double>(config.train.max_steps)) : all;
  }

  /// From the length of an epoch of any run on the same examples.
  double guessed_steps(const SweepRun& run) const {
    for (const auto& [row, per_epoch] : progress_) {
      const Config& other = sweep_.rows[row].config;
      const bool same = other.data.name == run.config.data.name && other.data.path == run.config.data.path &&
                        other.data.train_limit == run.config.data.train_limit;
      if (!same || per_epoch == 0) continue;
      const std::int64_t examples = per_epoch * other.train.batch;
      return steps(run.config, std::max<std::int64_t>(1, examples / run.config.train.batch));
    }
    return 0;
  }

  const Sweep& sweep_;
  const std::vector<SweepRun>& runs_;
  std::vector<SweepWork> work_;
  std::map<std::size_t, std::int64_t> progress_;  // steps of an epoch, by row
};

/// One run in the hands of a process.
struct Slot {
  std::unique_ptr<ChildProcess> child;
  std::size_t run = 0;
  bool evaluating = false;
  std::uintmax_t log_start = 0;
};

class Runner {
 public:
  Runner(const Sweep& sweep, const std::vector<SweepRun>& runs, const SweepOptions& options,
         const SweepObserver& observer)
      : sweep_(sweep),
        runs_(runs),
        options_(options),
        observer_(observer),
        shares_(options, runs.size()),
        inspector_(sweep.evaluation),
        work_(sweep, runs) {}

  SweepEnd run() {
    sort_out();
    shares_ = Shares(options_, waiting_.size());
    slots_.resize(static_cast<std::size_t>(shares_.jobs));
    while (true) {
      if (options_.should_stop && options_.should_stop()) stop();
      for (std::size_t s = 0; s < slots_.size(); ++s) attend(s);
      const bool idle = std::ranges::none_of(slots_, [](const Slot& slot) { return slot.child != nullptr; });
      if (idle && (waiting_.empty() || stopping_)) break;
      show();
      std::this_thread::sleep_for(kPause);
    }
    if (stopping_) return SweepEnd::interrupted;
    return failed_ > 0 ? SweepEnd::failures : SweepEnd::completed;
  }

 private:
  /// What is finished already, and what is to be done.
  void sort_out() {
    for (std::size_t i = 0; i < runs_.size(); ++i) {
      const RunState state = inspector_.state(runs_[i]);
      if (state == RunState::trained) work_.trained(i);
      if (state != RunState::evaluated) {
        waiting_.push_back(i);
        continue;
      }
      ++done_;
      work_.done(i, *inspector_.results(runs_[i]));
      fs::remove(runs_[i].failure);
    }
    if (done_ > 0 && !waiting_.empty())
      say(std::to_string(done_) + " of " + std::to_string(runs_.size()) + " runs are finished already");
  }

  void stop() {
    if (!stopping_) say("stopping after the step at hand; the same command continues");
    stopping_ = true;
    for (Slot& slot : slots_)
      if (slot.child) slot.child->stop();
  }

  void attend(std::size_t s) {
    Slot& slot = slots_[s];
    if (slot.child) {
      const auto code = slot.child->poll();
      if (!code) return;
      slot.child.reset();
      ended(s, *code);
    }
    if (slots_[s].child || stopping_ || waiting_.empty()) return;
    const std::size_t next = waiting_.front();
    waiting_.pop_front();
    slot.run = next;
    fs::remove(runs_[next].failure);
    slot.evaluating = inspector_.state(runs_[next]) == RunState::trained;
    if (slot.evaluating) work_.trained(next);
    start(s);
  }

  void start(std::size_t s) {
    Slot& slot = slots_[s];
    const SweepRun& run = runs_[slot.run];
    std::vector<std::string> words = options_.program;
    const auto add = [&words](const std::vector<std::string>& more) {
      words.insert(words.end(), more.begin(), more.end());
    };
    if (slot.evaluating) {
      add({"evaluate", run.folder.string()});
      add(evaluation_words(sweep_.evaluation));
    } else {
      write_file_atomically(run.file, to_toml(run.config));
      add({"train", run.file.string(), "--out", run.folder.string()});
      if (RunDirectory(run.folder).exists()) words.emplace_back("--resume");
    }
    const int gpu = shares_.gpus > 0 ? static_cast<int>(s) % shares_.gpus : 0;
    add({"--device", shares_.gpus > 0 ? "cuda:" + std::to_string(gpu) : options_.device});
    add({"--threads", std::to_string(shares_.threads)});
    std::error_code none;
    slot.log_start = fs::file_size(run.log, none);
    if (none) slot.log_start = 0;
    slot.child = std::make_unique<ChildProcess>(words, run.log);
  }

  void ended(std::size_t s, int code) {
    Slot& slot = slots_[s];
    const std::size_t i = slot.run;
    const SweepRun& run = runs_[i];
    if (stopping_ && code != 0) return;  // it did as it was told
    if (code != 0) return fail_run(i, error_in_log(run.log, slot.log_start, code));
    if (!slot.evaluating) {
      work_.look(i);
      work_.trained(i);
      if (stopping_) return;
      slot.evaluating = true;
      return start(s);
    }
    const auto results = inspector_.results(run);
    if (!results)
      return fail_run(i, "its evaluation did not give all results asked for, see " + run.log.string());
    ++done_;
    work_.done(i, *results);
    say(counted() + "finished " + run.name + ": " + headline(*results) + " (training " +
        shown_duration(training_progress(run.folder).seconds) + ", evaluation " +
        shown_duration(results->seconds) + ")");
  }

  void fail_run(std::size_t i, const std::string& error) {
    ++failed_;
    work_.failed(i);
    write_file_atomically(runs_[i].failure, error + "\n");
    say(counted() + "failed " + runs_[i].name + ": " + error);
  }

  std::string counted() const {
    return "[" + std::to_string(done_ + failed_) + "/" + std::to_string(runs_.size()) + "] ";
  }

  void say(const std::string& text) {
    if (observer_.line) observer_.line(text);
  }

  void show() {
    const double now = steady_seconds();
    if (!observer_.progress || now - looked_ < kLookSeconds) return;
    looked_ = now;
    SweepProgress progress{done_, failed_, static_cast<int>(runs_.size()), {}, {}};
    for (const Slot& slot : slots_) {
      if (!slot.child) continue;
      if (!slot.evaluating) work_.look(slot.run);
      progress.running.push_back(work_.place(slot.run));
    }
    progress.remaining = work_.estimate(shares_.jobs);
    observer_.progress(progress);
  }

  const Sweep& sweep_;
  const std::vector<SweepRun>& runs_;
  const SweepOptions& options_;
  const SweepObserver& observer_;
  Shares shares_;
  RunInspector inspector_;
  WorkTable work_;
  std::vector<Slot> slots_;
  std::deque<std::size_t> waiting_;
  int done_ = 0, failed_ = 0;
  bool stopping_ = false;
  double looked_ = 0;
};

}  // namespace

int usable_gpus() {
#if defined(NOISYMIX_CUDA) && !defined(NOISYMIX_CUDA_EMULATED)
  return cuda::device_count();
#else
  return 0;
#endif
}

std::string error_in_log(const fs::path& log, std::uintmax_t start, int code) {
  constexpr std::string_view kMark = "noisymix: ";
  std::ifstream in(log, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(start));
  std::string first;
  bool inside = false;
  for (std::string line; std::getline(in, line);) {
    const bool marked = line.starts_with(kMark);
    if (marked && !inside) first = line.substr(kMark.size());
    inside = marked;
  }
  if (!first.empty()) return printable(first, 300);
  if (code > 128)
    return "ended by signal " + std::to_string(code - 128) + (code == 128 + 9 ? " (out of memory?)" : "");
  return "ended with exit code " + std::to_string(code) + ", see " + log.string();
}

SweepEstimate estimate_sweep(const Sweep& sweep, const std::vector<SweepRun>& runs,
                             const SweepOptions& options) {
  RunInspector inspector(sweep.evaluation);
  WorkTable work(sweep, runs);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunState state = inspector.state(runs[i]);
    if (state == RunState::trained) work.trained(i);
    if (state == RunState::evaluated) work.done(i, *inspector.results(runs[i]));
  }
  return work.estimate(Shares(options, runs.size()).jobs);
}

SweepEnd run_sweep(const Sweep& sweep, const std::vector<SweepRun>& runs, const fs::path& out,
                   const SweepOptions& options, const SweepObserver& observer) {
  for (const char* folder : {"runs", "configs", "logs"}) {
    std::error_code error;
    fs::create_directories(out / folder, error);
    NM_CHECK_AS(DataError, !error, (out / folder).string(), ": cannot make this folder: ", error.message());
  }
  const FolderLock lock(out);
  check_settings(sweep, runs);
  return Runner(sweep, runs, options, observer).run();
}

}  // namespace noisymix
