#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/bench_augmix.h"
#include "tools/bench_conv.h"
#include "tools/bench_peak.h"
#include "tools/bench_schemes.h"
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
                                                              "base_images_per_s", "passes", "peak_mib"});
    CHECK(to_text(result).starts_with("wrn28-2 " + options.scheme + ", batch 2"));
    options.dtype = options.dtype == "f32" ? "bf16" : "f32";
  }
}

TEST_CASE("impossible step benchmarks are refused") {
  BenchStepOptions options;
  options.scheme = "cutmx";
  CHECK_THROWS_WITH_AS(bench_step(options), doctest::Contains("did you mean cutmix?"), ConfigError);
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

TEST_CASE("the limits of the machine are measured") {
  const BenchPeakResult peak = bench_peak();
  CHECK(peak.threads >= 1);
  for (const PeakRate& rate : {peak.f32, peak.bf16, peak.copy}) {
    CHECK(rate.one > 0);
    CHECK(rate.all > 0);
  }
  CHECK(fields(to_json(peak)) ==
        std::vector<std::string>{"isa", "threads", "f32_gflops", "bf16_gflops", "copy_gbs"});
  CHECK(to_text(peak).find("memory copy") != std::string::npos);
}

TEST_CASE("the convolution benchmark adds up its layers") {
  for (const char* dtype : {"f32", "bf16"}) {
    const BenchConvResult result = bench_conv({.images = 2, .dtype = dtype, .width = 0.125, .repeats = 1});
    REQUIRE(result.layers.size() == 11);
    double seconds = 0;
    for (const ConvLayerTimes& layer : result.layers)
      seconds += layer.count * (layer.forward + layer.input_gradient + layer.weight_gradient);
    CHECK(result.seconds == doctest::Approx(seconds));
    CHECK(result.layers.front().input_gradient == 0);
    CHECK(fields(to_json(result)) ==
          std::vector<std::string>{"scheme", "dtype", "batch", "step_s", "views_per_s"});
  }
  CHECK_THROWS_AS(bench_conv({.dtype = "f16"}), ConfigError);
}

TEST_CASE("a profiled step lists its ops, and says when memory was asked for") {
  BenchStepOptions options;
  options.arch = "wrn28-2";
  options.batch = 2;
  options.steps = 4;
  options.warmup = 4;  // every stage has been mixed once
  options.profile = true;
  const BenchStepResult result = bench_step(options);
  for (const char* op :
       {"conv2d, weight gradient", "batch_norm, moments", "view_loss", "sgd", "everything else"})
    CHECK_MESSAGE(result.profile.find(op) != std::string::npos, op);
  CHECK(result.system_allocations == 0);
  CHECK(to_text(result).find("of limit") != std::string::npos);
}

TEST_CASE("every scheme can be stepped, and its passes are counted") {
  BenchStepOptions options;
  options.arch = "preactresnet18";
  options.width = 0.0625;
  options.batch = 4;
  options.steps = 1;
  options.warmup = 0;
  const auto costs = bench_schemes(
      options, {"noisymix", "cutmix", "puzzlemix", "augmax", "trades", "dign", "free", "noise2net"});
  const std::vector<double> passes = {3, 1, 2, 13, 9, 4, 1, 1};
  REQUIRE(costs.size() == passes.size());
  for (std::size_t i = 0; i < costs.size(); ++i) {
    CAPTURE(costs[i].scheme);
    CHECK(costs[i].passes == passes[i]);
    CHECK(costs[i].step_s > 0);
    CHECK(costs[i].plain_s > 0);
    CHECK(costs[i].ratio() == doctest::Approx(costs[i].step_s / (costs[i].plain_s * passes[i])));
  }
  CHECK(to_text(costs).find("noise2net") != std::string::npos);
  CHECK(to_json(costs).starts_with("[{\"scheme\":\"noisymix\""));
}
