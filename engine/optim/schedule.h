// Learning rates as functions of the step, counted from 0.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace noisymix {

/// schedule(step) is the learning rate used for that step. A pure function: resuming needs only the step.
using Schedule = std::function<double(std::int64_t step)>;

// All throw ConfigError when an argument is out of range.

Schedule constant_schedule(double lr);

/// lr (m + (1 - m)(1 + cos(pi step / steps)) / 2) with m = floor / lr: from lr down to floor, where it stays.
Schedule cosine_schedule(double lr, double floor, std::int64_t steps);

/// lr gamma^k, k the number of milestones <= step.
Schedule multi_step_schedule(double lr, std::vector<std::int64_t> milestones, double gamma);

/// A straight line from `start` at step 0 to after(0) at step `steps`, then `after` with its own steps from
/// 0.
Schedule warm_up_schedule(double start, std::int64_t steps, Schedule after);

}  // namespace noisymix
