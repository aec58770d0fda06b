// Tests that cannot run here say so; their program then ends with the exit code that ctest reports as skipped.
#pragma once

#include <iostream>
#include <string>

namespace noisymix::testing {

inline bool& something_skipped() {
  static bool skipped = false;
  return skipped;
}

/// For golden files too large for the repository, and devices that are not there.
inline void report_skipped(const std::string& what) {
  something_skipped() = true;
  std::cout << "SKIPPED: " << what << std::endl;
}

}  // namespace noisymix::testing
