#include "engine/optim/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "engine/error.h"

namespace noisymix {
namespace {

void check_rate(const char* schedule, const char* name, double rate) {
  NM_CHECK_AS(ConfigError, std::isfinite(rate) && rate >= 0, "[", schedule, "] ", name, " ", rate,
              ", expected a finite number of at least 0");
}

}  // namespace

Schedule constant_schedule(double lr) {
  check_rate("constant", "lr", lr);
  return [lr](std::int64_t) { return lr; };
}

Schedule cosine_schedule(double lr, double floor, std::int64_t steps) {
  check_rate("cosine", "lr", lr);
  check_rate("cosine", "floor", floor);
  NM_CHECK_AS(ConfigError, steps >= 1, "[cosine] expects at least one step, got ", steps);
  return [=](std::int64_t step) {
    const double progress = static_cast<double>(std::min(step, steps)) / static_cast<double>(steps);
    return floor + (lr - floor) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  };
}

Schedule multi_step_schedule(double lr, std::vector<std::int64_t> milestones, double gamma) {
  check_rate("multistep", "lr", lr);
  check_rate("multistep", "gamma", gamma);
  return [lr, gamma, milestones = std::move(milestones)](std::int64_t step) {
    const auto passed =
        std::count_if(milestones.begin(), milestones.end(), [&](auto m) { return m <= step; });
    return lr * std::pow(gamma, static_cast<double>(passed));
  };
}

Schedule warm_up_schedule(double start, std::int64_t steps, Schedule after) {
  check_rate("warm-up", "start", start);
  NM_CHECK_AS(ConfigError, steps >= 0, "[warm-up] steps must not be negative, got ", steps);
  const double target = after(0);
  return [start, steps, target, after = std::move(after)](std::int64_t step) {
    if (step >= steps) return after(step - steps);
    return start + (target - start) * static_cast<double>(step) / static_cast<double>(steps);
  };
}

}  // namespace noisymix
