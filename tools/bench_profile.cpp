#include "tools/bench_profile.h"

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

namespace noisymix {
namespace {

std::string line(const std::string& name, const OpCost& cost, int steps, double step_s, bool bf16,
                 const BenchPeakResult& peak) {
  const bool counted = cost.flops > 0;
  const double amount = counted ? cost.flops : cost.bytes;
  const double limit = !counted ? peak.copy.all : bf16 ? peak.bf16.all : peak.f32.all;
  const double rate = cost.seconds > 0 ? amount / cost.seconds : 0;
  char text[160];
  std::snprintf(text, sizeof text, "%-30s %7lld %10.2f %7.1f %% %9.1f %-8s %6.0f %%\n", name.c_str(),
                static_cast<long long>(cost.calls / steps), 1000 * cost.seconds / steps,
                100 * cost.seconds / steps / step_s, rate * 1e-9, counted ? "GFLOP/s" : "GB/s",
                limit > 0 ? 100 * rate / limit : 0);
  return text;
}

}  // namespace

std::string profile_table(const Profile& profile, int steps, double step_s, bool bf16,
                          const BenchPeakResult& peak) {
  std::vector<std::pair<std::string, OpCost>> rows(profile.costs().begin(), profile.costs().end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  char head[160];
  std::snprintf(head, sizeof head, "%-30s %7s %10s %9s %9s %-8s %8s\n", "op", "calls", "ms", "share", "rate",
                "", "of limit");
  std::string text = head;
  double known = 0;
  for (const auto& [name, cost] : rows) {
    text += line(name, cost, steps, step_s, bf16, peak);
    known += cost.seconds / steps;
  }
  const double rest = std::max(0.0, step_s - known);
  char tail[160];
  std::snprintf(tail, sizeof tail, "%-30s %7s %10.2f %7.1f %%\n", "everything else", "", 1000 * rest,
                100 * rest / step_s);
  return text + tail;
}

}  // namespace noisymix
