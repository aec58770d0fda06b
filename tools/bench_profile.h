// The table of `noisymix bench step --profile`.
#pragma once

#include <string>

#include "engine/profile.h"
#include "tools/bench_peak.h"

namespace noisymix {

/// One line per op, the slowest first: milliseconds per step, share of the step, rate, and percent of what
/// the machine could do, arithmetic for ops that count it and memory for the others. `step_s` is one step, of
/// which the profile holds `steps`.
std::string profile_table(const Profile& profile, int steps, double step_s, bool bf16,
                          const BenchPeakResult& peak);

}  // namespace noisymix
