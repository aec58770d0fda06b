// Shows a training run to a person: a bar that redraws itself on a terminal, plain lines elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <ostream>

#include "tools/train_observer.h"

namespace noisymix {

struct ProgressOptions {
  bool terminal = false;          ///< redraw one line (at most ten times a second) instead of printing lines
  int width = 80;                 ///< columns of the terminal
  std::function<double()> clock;  ///< seconds; empty means the steady clock (tests set it)
};

/// `out` must outlive the observer.
std::unique_ptr<TrainObserver> make_progress(std::ostream& out, const ProgressOptions& options);

/// Whether a file descriptor is a terminal, and its width (80 when unknown).
bool is_terminal(int descriptor);
int terminal_width(int descriptor);

}  // namespace noisymix
