// What this machine can do at best: `noisymix bench peak`.
#pragma once

#include <string>

namespace noisymix {

/// Operations and bytes per second, with one thread and with all of them.
struct PeakRate {
  double one = 0, all = 0;
};

struct BenchPeakResult {
  std::string isa;  ///< instruction set in use
  int threads = 1;  ///< of the second column
  PeakRate f32;     ///< multiplications and additions in registers, vector units
  PeakRate bf16;    ///< the same for bf16 with f32 sums, matrix unit where there is one
  PeakRate copy;    ///< bytes read plus written by a copy of 512 MiB in all
};

/// Takes about two seconds. Neighbours on the machine lower the figures, so each is the best of several.
BenchPeakResult bench_peak();
/// One line without, and a table with newlines.
std::string to_json(const BenchPeakResult& result);
std::string to_text(const BenchPeakResult& result);

}  // namespace noisymix
