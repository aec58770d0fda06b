#include "tools/bench_conv.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <nlohmann/json.hpp>

#include "engine/autograd.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/conv2d.h"
#include "engine/ops/random.h"
#include "engine/profile.h"

namespace noisymix {
namespace {

struct Layer {
  const char* name;
  std::int64_t c, o, size, kernel, stride;
  int count;
};

std::vector<Layer> layers_of(double width) {
  const auto wide = [width](std::int64_t c) {
    return std::max<std::int64_t>(1, std::llround(width * static_cast<double>(c)));
  };
  const std::int64_t a = wide(64), b = wide(128), c = wide(256), d = wide(512);
  return {{"stem", 3, a, 32, 3, 1, 1},         {"stage 1", a, a, 32, 3, 1, 4},
          {"stage 2 down", a, b, 32, 3, 2, 1}, {"stage 2", b, b, 16, 3, 1, 3},
          {"stage 3 down", b, c, 16, 3, 2, 1}, {"stage 3", c, c, 8, 3, 1, 3},
          {"stage 4 down", c, d, 8, 3, 2, 1},  {"stage 4", d, d, 4, 3, 1, 3},
          {"shortcut 2", a, b, 32, 1, 2, 1},   {"shortcut 3", b, c, 16, 1, 2, 1},
          {"shortcut 4", c, d, 8, 1, 2, 1}};
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

ConvLayerTimes time_layer(const Layer& layer, const BenchConvOptions& options) {
  const Dtype dtype = options.dtype == "bf16" ? Dtype::bf16 : Dtype::f32;
  Tensor x = random_normal({options.images, layer.size, layer.size, layer.c}, Key(1)).to(dtype);
  Tensor weight = random_normal({layer.o, layer.kernel, layer.kernel, layer.c}, Key(2));
  x.set_requires_grad(layer.c != 3);
  weight.set_requires_grad();
  std::vector<double> forward, input, filter;
  double flops = 0;
  for (int i = 0; i <= options.repeats; ++i) {
    Profile profile;
    const Tensor y = conv2d(x, weight, Tensor(), Conv2dOptions::square(layer.stride, layer.kernel / 2));
    backward(y, y.detach());
    x.clear_grad();
    weight.clear_grad();
    flops = profile.costs().at("conv2d").flops;
    if (i == 0) continue;  // buffers and caches are warm from now on
    forward.push_back(profile.costs().at("conv2d").seconds);
    filter.push_back(profile.costs().at("conv2d, weight gradient").seconds);
    input.push_back(layer.c == 3 ? 0 : profile.costs().at("conv2d, input gradient").seconds);
  }
  return {layer.name, layer.count, flops, median(forward), median(input), median(filter)};
}

}  // namespace

BenchConvResult bench_conv(const BenchConvOptions& options) {
  NM_CHECK_AS(ConfigError, options.dtype == "f32" || options.dtype == "bf16",
              "--dtype is f32 or bf16, not \"", options.dtype, '"');
  NM_CHECK_AS(ConfigError, options.images > 0 && options.repeats > 0 && options.width > 0,
              "--images, --repeats and --width are positive");
  if (options.threads > 0) cpu::set_threads(options.threads);
  BenchConvResult result{.dtype = options.dtype, .images = options.images, .layers = {}};
  for (const Layer& layer : layers_of(options.width)) {
    const ConvLayerTimes times = time_layer(layer, options);
    result.seconds += times.count * (times.forward + times.input_gradient + times.weight_gradient);
    result.flops += times.count * times.flops * (times.input_gradient > 0 ? 3 : 2);
    result.layers.push_back(times);
  }
  return result;
}

std::string to_json(const BenchConvResult& r) {
  return nlohmann::ordered_json{
      {"scheme", "convolutions"},
      {"dtype", r.dtype},
      {"batch", r.images},
      {"step_s", r.seconds},
      {"views_per_s", std::round(10 * static_cast<double>(r.images) / r.seconds) / 10}}
      .dump();
}

std::string to_text(const BenchConvResult& r) {
  char text[160];
  std::snprintf(text, sizeof text, "%-14s %5s %10s %16s %16s   GFLOP/s, %s, %lld images\n", "layer", "times",
                "forward", "input gradient", "weight gradient", r.dtype.c_str(),
                static_cast<long long>(r.images));
  std::string table = text;
  for (const ConvLayerTimes& l : r.layers) {
    const auto rate = [&](double seconds) { return seconds > 0 ? l.flops / seconds * 1e-9 : 0; };
    std::snprintf(text, sizeof text, "%-14s %5d %10.0f %16.0f %16.0f\n", l.name.c_str(), l.count,
                  rate(l.forward), rate(l.input_gradient), rate(l.weight_gradient));
    table += text;
  }
  std::snprintf(text, sizeof text, "all: %.3f s, %.0f GFLOP/s, %.1f images/s\n", r.seconds,
                r.flops / r.seconds * 1e-9, static_cast<double>(r.images) / r.seconds);
  return table + text;
}

}  // namespace noisymix
