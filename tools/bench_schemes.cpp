#include "tools/bench_schemes.h"

#include <algorithm>
#include <cstdio>

#include <nlohmann/json.hpp>

namespace noisymix {
namespace {

double seconds_of(BenchStepOptions options, const std::string& scheme, double* passes = nullptr) {
  options.scheme = scheme;
  const BenchStepResult result = bench_step(options);
  if (passes != nullptr) *passes = result.passes;
  return result.step_s;
}

constexpr int kRounds = 3;

/// The round of median ratio: a neighbour's work in one of them does not count.
SchemeCost cost_of(BenchStepOptions options, const std::string& scheme) {
  options.steps = std::max(1, options.steps / kRounds);
  std::vector<SchemeCost> rounds;
  for (int round = 0; round < kRounds; ++round) {
    SchemeCost cost;
    cost.scheme = scheme;
    const double before = seconds_of(options, "plain");
    cost.step_s = seconds_of(options, scheme, &cost.passes);
    cost.plain_s = 0.5 * (before + seconds_of(options, "plain"));
    rounds.push_back(cost);
  }
  std::sort(rounds.begin(), rounds.end(),
            [](const SchemeCost& a, const SchemeCost& b) { return a.ratio() < b.ratio(); });
  return rounds[kRounds / 2];
}

}  // namespace

std::vector<SchemeCost> bench_schemes(const BenchStepOptions& options, std::vector<std::string> schemes) {
  if (schemes.empty()) {
    for (const std::string& name : bench_schemes_known()) {
      // Sizes of the network and shortened recipes are no schemes of their own.
      const bool variant = name.find("wrn") != std::string::npos || name.find("quick") != std::string::npos ||
                           name.find("vit") != std::string::npos;
      if (!variant && name != "plain" && name != "infer") schemes.push_back(name);
    }
  }
  std::vector<SchemeCost> costs;
  for (const std::string& name : schemes) costs.push_back(cost_of(options, name));
  return costs;
}

std::string to_json(const std::vector<SchemeCost>& costs) {
  auto rows = nlohmann::ordered_json::array();
  for (const SchemeCost& cost : costs) {
    rows.push_back({{"scheme", cost.scheme},
                    {"step_s", cost.step_s},
                    {"plain_s", cost.plain_s},
                    {"passes", cost.passes},
                    {"ratio", cost.ratio()}});
  }
  return rows.dump();
}

std::string to_text(const std::vector<SchemeCost>& costs) {
  std::string text = "scheme                       step   plain  passes  step / (passes x plain)\n";
  for (const SchemeCost& cost : costs) {
    char line[128];
    std::snprintf(line, sizeof line, "%-24s %6.1f ms %6.1f  %6.0f  %.2f\n", cost.scheme.c_str(),
                  1e3 * cost.step_s, 1e3 * cost.plain_s, cost.passes, cost.ratio());
    text += line;
  }
  return text;
}

}  // namespace noisymix
