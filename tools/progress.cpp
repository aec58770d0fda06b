#include "tools/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "tools/work_progress.h"

namespace noisymix {
namespace {

constexpr double kRedrawSeconds = 0.1;  // a terminal shows no more, and drawing costs time
constexpr double kLineSeconds = 10;     // between plain lines within an epoch: logs stay readable

template <typename... Values>
std::string format(const char* pattern, Values... values) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, values...);
  return text;
}

/// What both displays keep: totals, running speed, and the texts made of them.
class Progress : public TrainObserver {
 public:
  Progress(std::ostream& out, ProgressOptions options) : out_(out), options_(std::move(options)) {
    if (!options_.clock) options_.clock = steady_seconds;
  }

  void started(const TrainStart& start) override {
    start_ = start;
    line(format("model %s, %lld parameters", start.model.c_str(), static_cast<long long>(start.parameters)));
    line("train on " + start.train_data + ", test on " + start.test_data);
    if (!start.device.empty() && start.device.rfind("CPU", 0) != 0) line("computed by " + start.device);
    if (start.first_step > 0) {
      line(format("resumed at step %lld of %lld", static_cast<long long>(start.first_step),
                  static_cast<long long>(total_steps())));
    }
  }

  void step_done(const StepReport& report) override {
    // Speed over roughly the last 20 steps: steady enough to read, quick enough to follow a change.
    const double weight = steps_seen_ < 20 ? 1.0 / static_cast<double>(steps_seen_ + 1) : 0.05;
    step_seconds_ += weight * (report.seconds - step_seconds_);
    images_ += weight * (static_cast<double>(report.images) - images_);
    ++steps_seen_;
    show_step(report);
  }

  void notice(const std::string& text) override { line(text); }

  void epoch_done(const EpochReport& report) override {
    std::string text =
        format("epoch %lld/%lld  loss %.4f  train %.2f %%", static_cast<long long>(report.epoch),
               static_cast<long long>(start_.epochs), report.train_loss, 100 * report.train_accuracy);
    if (report.test) {
      text += format("  test %.2f %%%s", 100 * report.test->accuracy, report.best ? " (best)" : "");
    }
    line(text +
         format("  %.0f images/s  %s", report.images_per_second, shown_duration(report.seconds).c_str()));
  }

 protected:
  /// Prints a line that stays.
  virtual void line(const std::string& text) { out_ << text << '\n' << std::flush; }
  virtual void show_step(const StepReport& report) = 0;

  std::int64_t total_steps() const { return start_.epochs * start_.steps_per_epoch; }
  double now() const { return options_.clock(); }
  std::string numbers(const StepReport& report) const {
    const double left = static_cast<double>(total_steps() - report.step - 1) * step_seconds_;
    return format("loss %.4f  acc %.1f %%  %.0f images/s  ETA %s", report.loss, 100 * report.stats.accuracy,
                  step_seconds_ > 0 ? images_ / step_seconds_ : 0.0, shown_duration(left).c_str());
  }
  std::string place(const StepReport& report) const {
    return format("epoch %lld/%lld", static_cast<long long>(report.epoch + 1),
                  static_cast<long long>(start_.epochs));
  }
  std::string batch_of(const StepReport& report) const {
    return format("%lld/%lld", static_cast<long long>(report.batch + 1),
                  static_cast<long long>(start_.steps_per_epoch));
  }

  std::ostream& out_;
  ProgressOptions options_;
  TrainStart start_;
  double step_seconds_ = 0, images_ = 0;
  std::int64_t steps_seen_ = 0;
};

class PlainProgress final : public Progress {
 public:
  using Progress::Progress;

 private:
  void show_step(const StepReport& report) override {
    if (last_ < 0) last_ = now();
    if (now() - last_ < kLineSeconds) return;
    last_ = now();
    line(place(report) + "  step " + batch_of(report) + "  " + numbers(report));
  }
  double last_ = -1;
};

class TerminalProgress final : public Progress {
 public:
  using Progress::Progress;
  void stopped() override {
    if (drawn_) out_ << '\n' << std::flush;
    drawn_ = false;
  }

 private:
  static constexpr const char* kEraseLine = "\r\x1b[K";

  void line(const std::string& text) override {
    if (drawn_) out_ << kEraseLine;
    drawn_ = false;
    Progress::line(text);
  }

  void show_step(const StepReport& report) override {
    const bool last_of_epoch = report.batch + 1 == start_.steps_per_epoch;
    if (last_ >= 0 && now() - last_ < kRedrawSeconds && !last_of_epoch) return;
    last_ = now();
    std::string before = place(report) + ' ', after = ' ' + batch_of(report) + "  " + numbers(report);
    // One column stays free: some terminals wrap when the last one is written.
    const int room = options_.width - 1 - static_cast<int>(before.size() + after.size());
    std::string text = before + (room >= 4 ? bar(report, std::min(room, 30)) : "") + after;
    text.resize(std::min(text.size(), static_cast<std::size_t>(std::max(options_.width - 1, 0))));
    out_ << kEraseLine << text << std::flush;
    drawn_ = true;
  }

  std::string bar(const StepReport& report, int width) const {
    const double share = static_cast<double>(report.batch + 1) / static_cast<double>(start_.steps_per_epoch);
    const auto inside = static_cast<std::size_t>(width - 2);
    const auto full = std::min(inside, static_cast<std::size_t>(share * static_cast<double>(inside)));
    return '[' + std::string(full, '=') + std::string(inside - full, ' ') + ']';
  }

  double last_ = -1;
  bool drawn_ = false;
};

}  // namespace

std::unique_ptr<TrainObserver> make_progress(std::ostream& out, const ProgressOptions& options) {
  if (options.terminal) return std::make_unique<TerminalProgress>(out, options);
  return std::make_unique<PlainProgress>(out, options);
}

bool is_terminal(int descriptor) {
  return ::isatty(descriptor) == 1;
}

int terminal_width(int descriptor) {
  struct ::winsize size {};
  if (::ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

}  // namespace noisymix
