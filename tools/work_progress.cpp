#include "tools/work_progress.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <utility>

namespace noisymix {
namespace {

constexpr double kRedrawSeconds = 0.1, kLineSeconds = 10;

/// 1234567 -> "1,234,567".
std::string grouped(double number) {
  std::string digits = std::to_string(static_cast<long long>(std::llround(number)));
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > 0; place -= 3)
    digits.insert(static_cast<std::size_t>(place), ",");
  return digits;
}

}  // namespace

double steady_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string shown_duration(double seconds) {
  const auto total = static_cast<long long>(std::llround(std::max(0.0, seconds)));
  char text[32];
  if (total >= 3600) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", total / 3600, total / 60 % 60, total % 60);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld", total / 60, total % 60);
  }
  return text;
}

WorkProgress::WorkProgress(std::ostream& out, bool terminal, int width, std::string unit,
                           std::function<double()> clock)
    : out_(out),
      terminal_(terminal),
      width_(width),
      unit_(std::move(unit)),
      clock_(clock ? std::move(clock) : steady_seconds),
      start_(clock_()),
      last_(terminal ? -1 : start_) {}

WorkProgress::~WorkProgress() {
  if (drawn_) out_ << "\r\x1b[K" << std::flush;
}

std::string WorkProgress::shown(const std::string& place, double done, double total) const {
  const double seconds = clock_() - start_, rate = seconds > 0 ? done / seconds : 0;
  char numbers[160];
  std::snprintf(numbers, sizeof numbers, "%3.0f %%  %s of %s %s  %s/s  ETA %s",
                total > 0 ? 100 * done / total : 100, grouped(done).c_str(), grouped(total).c_str(),
                unit_.c_str(), grouped(rate).c_str(),
                rate > 0 ? shown_duration((total - done) / rate).c_str() : "?");
  return std::string(numbers) + "  " + place;
}

void WorkProgress::show(const std::string& place, double done, double total) {
  const double now = clock_();
  if (last_ >= 0 && now - last_ < (terminal_ ? kRedrawSeconds : kLineSeconds)) return;
  last_ = now;
  const std::string text = shown(place, done, total);
  if (terminal_) {
    out_ << "\r\x1b[K" << text.substr(0, static_cast<std::size_t>(std::max(1, width_ - 1))) << std::flush;
    drawn_ = true;
  } else {
    out_ << text << '\n' << std::flush;
  }
}

void WorkProgress::line(const std::string& text) {
  if (drawn_) out_ << "\r\x1b[K";
  drawn_ = false;
  out_ << text << '\n' << std::flush;
}

}  // namespace noisymix
