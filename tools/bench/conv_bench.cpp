// Speed of the convolutions of PreActResNet-18 on 32x32 images, forward and both gradients, direct and by
// Winograd's algorithm, and of batch normalisation.
//   bench_conv [images] [width]      default 384 images, widths 1.0, 0.5 and 0.25
// Widths 1 and 1/2 have the 3x3 layers of WRN-28-4 and WRN-28-2 among theirs.
// With BENCH_CPU_TIME=1 the clock is the processor time of a single thread: the figure to compare on a busy
// machine.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "engine/autograd.h"
#include "engine/cpu/conv.h"
#include "engine/cpu/conv_method.h"
#include "engine/cpu/cpu_features.h"
#include "engine/cpu/parallel.h"
#include "engine/ops/batch_norm.h"

namespace noisymix {
namespace {

struct Layer {
  const char* name;
  std::int64_t c, o, size, kernel, stride;
  int count;  // how often it occurs in the network
};

Tensor noise(const Shape& shape) {
  Tensor x = Tensor::empty(shape);
  float* values = x.mutable_data<float>();
  for (std::int64_t i = 0; i < x.numel(); ++i)
    values[i] = static_cast<float>(i * 7919 % 2003) / 1000.0f - 1.0f;
  return x;
}

bool cpu_time() {
  return std::getenv("BENCH_CPU_TIME") != nullptr;
}

double now() {
  if (cpu_time()) return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Seconds of `body` with each method: medians of runs that take turns, so that both see the same neighbours.
struct Seconds {
  double direct, winograd;
};
Seconds both_methods(const ConvShape& shape, const std::function<void()>& body) {
  constexpr int kRuns = 7;
  const int methods = cpu::winograd_applies(shape) ? 2 : 1;
  std::array<std::array<double, kRuns>, 2> seconds{};
  for (std::size_t run = 0; run < kRuns; ++run) {
    for (int m = 0; m < methods; ++m) {
      cpu::set_conv_method(m == 0 ? cpu::ConvMethod::direct : cpu::ConvMethod::winograd);
      if (run == 0) body();
      const double start = now();
      body();
      seconds[static_cast<std::size_t>(m)][run] = now() - start;
    }
  }
  for (auto& list : seconds) std::sort(list.begin(), list.end());
  cpu::set_conv_method(cpu::ConvMethod::automatic);
  return {seconds[0][kRuns / 2], seconds[static_cast<std::size_t>(methods - 1)][kRuns / 2]};
}

/// Best of a few runs, in seconds: neighbours on the machine only ever make a run slower.
double best_seconds(const std::function<void()>& body) {
  body();
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double start = now();
    body();
    best = std::min(best, now() - start);
  }
  return best;
}

void bench_convolutions(std::int64_t images, double width) {
  const auto channels = [width](std::int64_t c) {
    return static_cast<std::int64_t>(static_cast<double>(c) * width);
  };
  const std::int64_t a = channels(64), b = channels(128), c = channels(256), d = channels(512);
  const Layer layers[] = {{"stem", 3, a, 32, 3, 1, 1},         {"stage 1", a, a, 32, 3, 1, 4},
                          {"stage 2 down", a, b, 32, 3, 2, 1}, {"stage 2", b, b, 16, 3, 1, 3},
                          {"stage 3 down", b, c, 16, 3, 2, 1}, {"stage 3", c, c, 8, 3, 1, 3},
                          {"stage 4 down", c, d, 8, 3, 2, 1},  {"stage 4", d, d, 4, 3, 1, 3},
                          {"shortcut 2", a, b, 32, 1, 2, 1},   {"shortcut 3", b, c, 16, 1, 2, 1},
                          {"shortcut 4", c, d, 8, 1, 2, 1}};
  std::printf(
      "\nGFLOP/s of direct / Winograd, width %.2f, %lld images, %d threads, %s\n%-14s %19s %19s %19s\n",
      width, static_cast<long long>(images), cpu::threads(), cpu::name_of(cpu::active_isa()), "layer",
      "forward", "dx", "dw");
  double direct = 0, automatic = 0, work = 0;
  for (const Layer& l : layers) {
    const std::int64_t padding = l.kernel / 2, out = l.size / l.stride;
    const ConvShape s{images, l.size,   l.size,   l.c,     l.o,     l.kernel, l.kernel, out,
                           out,    l.stride, l.stride, padding, padding, 1,        1,        1};
    const Tensor x = noise(Shape{images, l.size, l.size, l.c}),
                 weight = noise(Shape{l.o, l.kernel, l.kernel, l.c});
    Tensor y = noise(Shape{images, out, out, l.o}), dx = empty_like(x), dweight = empty_like(weight);
    const double flops = 2.0 * static_cast<double>(y.numel()) * static_cast<double>(s.depth());
    const std::function<void()> passes[] = {
        [&] { cpu::conv2d_f32(s, x.data<float>(), weight.data<float>(), nullptr, y.mutable_data<float>()); },
        [&] {
          cpu::conv2d_input_grad_f32(s, y.data<float>(), weight.data<float>(), dx.mutable_data<float>());
        },
        [&] {
          cpu::conv2d_weight_grad_f32(s, x.data<float>(), y.data<float>(), dweight.mutable_data<float>());
        }};
    std::printf("%-14s", l.name);
    for (int pass = 0; pass < 3; ++pass) {
      const Seconds t = both_methods(s, passes[pass]);
      std::printf("  %6.1f / %6.1f%3s", flops / t.direct * 1e-9, flops / t.winograd * 1e-9, "");
      if (pass == 1 && l.c == 3) continue;  // nobody asks for the gradient of the images
      direct += l.count * t.direct;
      automatic += l.count * (cpu::winograd_pays(s) ? t.winograd : t.direct);
      work += l.count * flops;
    }
    std::printf("%s\n", cpu::winograd_pays(s) ? "  Winograd pays" : "");
  }
  for (const double total : {direct, automatic})
    std::printf("network, %s: %.3f s in convolutions, %.1f GFLOP/s, %.1f images/s\n",
                total == direct ? "direct" : "automatic", total, work / total * 1e-9,
                static_cast<double>(images) / total);
}

void bench_batch_norm(std::int64_t images, std::int64_t size, std::int64_t channels) {
  Tensor x = noise(Shape{images, size, size, channels});
  Tensor weight = Tensor::ones(Shape{channels}), bias = Tensor::zeros(Shape{channels});
  Tensor mean = Tensor::zeros(Shape{channels}), variance = Tensor::ones(Shape{channels});
  const Tensor dy = noise(x.shape());
  x.set_requires_grad();
  weight.set_requires_grad();
  bias.set_requires_grad();
  BatchNormOptions options;
  options.relu = true;
  Tensor y;
  const double forward =
      best_seconds([&] { y = batch_norm_train(x, weight, bias, mean, variance, options); });
  const double both = best_seconds([&] {
    y = batch_norm_train(x, weight, bias, mean, variance, options);
    x.clear_grad();
    backward(y, dy);
  });
  const double bytes = static_cast<double>(x.bytes());
  std::printf(
      "batch_norm [%lld, %lld, %lld, %lld]: forward %.1f GB/s (2 reads, 1 write), backward %.1f GB/s (4 "
      "reads, 1 write)\n",
      static_cast<long long>(images), static_cast<long long>(size), static_cast<long long>(size),
      static_cast<long long>(channels), 3 * bytes / forward * 1e-9, 5 * bytes / (both - forward) * 1e-9);
}

}  // namespace
}  // namespace noisymix

int main(int argc, char** argv) {
  if (noisymix::cpu_time()) noisymix::cpu::set_threads(1);
  const std::int64_t images = argc > 1 ? std::atoll(argv[1]) : 384;
  if (argc > 2)
    noisymix::bench_convolutions(images, std::atof(argv[2]));
  else
    for (const double width : {1.0, 0.5, 0.25}) noisymix::bench_convolutions(images, width);
  std::printf("\n");
  noisymix::bench_batch_norm(images, 32, 64);
  noisymix::bench_batch_norm(images, 32, 16);
  noisymix::bench_batch_norm(images, 4, 512);
}
