#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/bench_augmix.h"
#include "tools/bench_step.h"
#include "tools/config.h"

using namespace noisymix;

namespace {

/// Field names in their order.
std::vector<std::string> fields(const std::string& json) {
  const auto parsed = nlohmann::ordered_json::parse(json);
  std::vector<std::string> names;
  for (const auto& [name, value] : parsed.items()) names.push_back(name);
  return names;
}

}  // namespace

TEST_CASE("a step benchmark reports the fields that the comparison scripts read") {
  BenchStepOptions options;
  options.arch = "wrn28-2";
  options.batch = 2;
  options.steps = 1;
  options.warmup = 0;
  for (const auto& [scheme, views] :
       {std::pair{"plain", 1}, std::pair{"noisymix", 3}, std::pair{"infer", 1}}) {
    options.scheme = scheme;
    const BenchStepResult result = bench_step(options);
    CHECK(result.step_s > 0);
    CHECK(result.views_per_s == doctest::Approx(views * result.base_images_per_s));
    CHECK(result.peak_mib > 0);
    CHECK(fields(to_json(result)) == std::vector<std::string>{"peer", "arch", "scheme", "device", "dtype",
                                                              "batch", "step_s", "views_per_s",
                                                              "base_images_per_s", "peak_mib"});
    CHECK(to_text(result).starts_with("wrn28-2 " + options.scheme + ", batch 2"));
    options.dtype = options.dtype == "f32" ? "bf16" : "f32";
  }
}

TEST_CASE("impossible step benchmarks are refused") {
  BenchStepOptions options;
  options.scheme = "cutmix";
  CHECK_THROWS_AS(bench_step(options), ConfigError);
  options = {};
  options.dtype = "f16";
  CHECK_THROWS_AS(bench_step(options), ConfigError);
  options = {};
  options.steps = 0;
  CHECK_THROWS_AS(bench_step(options), ConfigError);
}

TEST_CASE("the pipeline benchmark makes its views") {
  const BenchAugmixResult result = bench_augmix({.images = 20, .threads = 2});
  CHECK(result.images_per_s > 0);
  CHECK(fields(to_json(result)) == std::vector<std::string>{"peer", "images", "threads", "images_per_s"});
  CHECK_THROWS_AS(bench_augmix({.images = 0}), ConfigError);
}
