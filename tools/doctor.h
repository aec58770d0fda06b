// What this machine offers and what is missing: `noisymix doctor`.
#pragma once

#include <string>

namespace noisymix {

struct DoctorReport {
  std::string text;
  bool gpu_usable = false;
};

/// Processor, GPUs, driver, libraries, and for everything that is missing what to do.
DoctorReport examine_machine();

}  // namespace noisymix
