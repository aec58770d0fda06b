// A sweep shown to a person: lines that stay, and one line that says where it stands.
#pragma once

#include <functional>
#include <ostream>
#include <string>

#include "tools/sweep/sweep_run.h"

namespace noisymix {

/// "run 3 of 12, 1 failed  noisymix-seed2, epoch 4 of 8 (and 1 more)  ETA 1:02:03".
std::string shown_progress(const SweepProgress& progress);
/// "1:02:03", "more than 1:02:03" while parts are of unknown length, "?" when nothing is known.
std::string shown_estimate(const SweepEstimate& estimate);

/// Redraws the line on a terminal; elsewhere writes one a minute.
class SweepDisplay {
 public:
  /// `out` must outlive the display; `clock` gives seconds (empty: the steady clock).
  SweepDisplay(std::ostream& out, bool terminal, int width, std::function<double()> clock = {});
  ~SweepDisplay();
  SweepDisplay(const SweepDisplay&) = delete;
  SweepDisplay& operator=(const SweepDisplay&) = delete;

  void line(const std::string& text);
  void show(const SweepProgress& progress);

 private:
  void erase();
  std::ostream& out_;
  bool terminal_;
  int width_;
  std::function<double()> clock_;
  double last_;
  bool drawn_ = false;
};

}  // namespace noisymix
