// What every training scheme costs, against what its passes over the network cost: `noisymix bench schemes`.
#pragma once

#include <string>
#include <vector>

#include "tools/bench_step.h"

namespace noisymix {

/// One scheme. A pass is one forward and one backward pass over a batch; a plain step takes one.
struct SchemeCost {
  std::string scheme;
  double step_s = 0;   ///< median over its steps
  double plain_s = 0;  ///< of a plain step, measured before and after it
  double passes = 1;
  double ratio() const { return step_s / (plain_s * passes); }  ///< 1 when it costs what its passes cost
};

/// Measures each scheme three times, each time between two measurements of the plain step, and takes the
/// median; empty names mean all there are.
std::vector<SchemeCost> bench_schemes(const BenchStepOptions& options, std::vector<std::string> schemes);

std::string to_json(const std::vector<SchemeCost>& costs);
std::string to_text(const std::vector<SchemeCost>& costs);

}  // namespace noisymix
