// Long work other than training, shown to a person: how far, how fast, how long still.
#pragma once

#include <functional>
#include <ostream>
#include <string>

namespace noisymix {

/// Redraws one line on a terminal, at most ten times a second; elsewhere writes a line every ten seconds.
class WorkProgress {
 public:
  /// `out` must outlive the display. `unit` is what is counted ("images"); `clock` gives seconds (empty: the
  /// steady clock).
  WorkProgress(std::ostream& out, bool terminal, int width, std::string unit,
               std::function<double()> clock = {});
  /// Ends the line that is being redrawn.
  ~WorkProgress();
  WorkProgress(const WorkProgress&) = delete;
  WorkProgress& operator=(const WorkProgress&) = delete;

  /// `place` says what is being worked on.
  void show(const std::string& place, double done, double total);
  /// Prints a line that stays.
  void line(const std::string& text);

 private:
  std::string shown(const std::string& place, double done, double total) const;
  std::ostream& out_;
  bool terminal_;
  int width_;
  std::string unit_;
  std::function<double()> clock_;
  double start_, last_;
  bool drawn_ = false;
};

/// Seconds of a clock that never jumps.
double steady_seconds();

/// 75 -> "1:15", 3700 -> "1:01:40".
std::string shown_duration(double seconds);

}  // namespace noisymix
