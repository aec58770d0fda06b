// Ctrl-C and SIGTERM as a question the training loop asks between steps.
#pragma once

namespace noisymix {

/// While alive, the first SIGINT or SIGTERM sets requested() instead of ending the process; a second one ends
/// it.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  static bool requested();
};

}  // namespace noisymix
