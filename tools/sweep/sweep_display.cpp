#include "tools/sweep/sweep_display.h"

#include <algorithm>
#include <utility>

#include "tools/work_progress.h"

namespace noisymix {
namespace {

constexpr double kLineSeconds = 60;

}  // namespace

std::string shown_estimate(const SweepEstimate& estimate) {
  if (!estimate.known) return "?";
  return (estimate.complete ? "" : "more than ") + shown_duration(estimate.seconds);
}

std::string shown_progress(const SweepProgress& progress) {
  const int at = std::min(progress.total, progress.done + progress.failed + 1);
  std::string text = "run " + std::to_string(at) + " of " + std::to_string(progress.total);
  if (progress.failed > 0) text += ", " + std::to_string(progress.failed) + " failed";
  if (!progress.running.empty()) text += "  " + progress.running.front();
  if (progress.running.size() > 1) text += " (and " + std::to_string(progress.running.size() - 1) + " more)";
  return text + "  ETA " + shown_estimate(progress.remaining);
}

SweepDisplay::SweepDisplay(std::ostream& out, bool terminal, int width, std::function<double()> clock)
    : out_(out),
      terminal_(terminal),
      width_(width),
      clock_(clock ? std::move(clock) : steady_seconds),
      last_(clock_()) {}

SweepDisplay::~SweepDisplay() {
  erase();
}

void SweepDisplay::erase() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
  drawn_ = false;
}

void SweepDisplay::line(const std::string& text) {
  erase();
  out_ << text << '\n' << std::flush;
}

void SweepDisplay::show(const SweepProgress& progress) {
  const std::string text = shown_progress(progress);
  if (terminal_) {
    erase();
    out_ << text.substr(0, static_cast<std::size_t>(std::max(1, width_ - 1))) << std::flush;
    drawn_ = true;
  } else if (const double now = clock_(); now - last_ >= kLineSeconds) {
    last_ = now;
    line(text);
  }
}

}  // namespace noisymix
