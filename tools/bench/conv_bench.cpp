// Speed of the convolutions of PreActResNet-18 on 32x32 images, forward and both gradients, and of batch
// normalisation.
//   bench_conv [images] [width]      default 384 images, widths 1.0 and 0.25
// With BENCH_CPU_TIME=1 the clock is the processor time of a single thread: the figure to compare on a busy
// machine.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>

#include "engine/autograd.h"
#include "engine/cpu/conv.h"
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
  std::printf("\n%-14s %9s %9s %9s   GFLOP/s, width %.2f, %lld images, %d threads, %s\n", "layer", "forward",
              "dx", "dw", width, static_cast<long long>(images), cpu::threads(),
              cpu::name_of(cpu::active_isa()));
  double total = 0, work = 0;
  for (const Layer& l : layers) {
    const std::int64_t padding = l.kernel / 2, out = l.size / l.stride;
    const cpu::ConvShape s{images, l.size,   l.size,   l.c,     l.o,     l.kernel, l.kernel, out,
                           out,    l.stride, l.stride, padding, padding, 1,        1,        1};
    const Tensor x = noise(Shape{images, l.size, l.size, l.c}),
                 weight = noise(Shape{l.o, l.kernel, l.kernel, l.c});
    Tensor y = noise(Shape{images, out, out, l.o}), dx = empty_like(x), dweight = empty_like(weight);
    const double flops = 2.0 * static_cast<double>(y.numel()) * static_cast<double>(s.depth());
    const double forward = best_seconds(
        [&] { cpu::conv2d_f32(s, x.data<float>(), weight.data<float>(), nullptr, y.mutable_data<float>()); });
    const double input = best_seconds([&] {
      cpu::conv2d_input_grad_f32(s, y.data<float>(), weight.data<float>(), dx.mutable_data<float>());
    });
    const double filter = best_seconds([&] {
      cpu::conv2d_weight_grad_f32(s, x.data<float>(), y.data<float>(), dweight.mutable_data<float>());
    });
    std::printf("%-14s %9.1f %9.1f %9.1f\n", l.name, flops / forward * 1e-9, flops / input * 1e-9,
                flops / filter * 1e-9);
    const bool needs_input = l.c != 3;
    total += l.count * (forward + filter + (needs_input ? input : 0));
    work += l.count * flops * (needs_input ? 3 : 2);
  }
  std::printf("network: %.3f s in convolutions, %.1f GFLOP/s, %.1f images/s\n", total, work / total * 1e-9,
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
    for (const double width : {1.0, 0.25}) noisymix::bench_convolutions(images, width);
  std::printf("\n");
  noisymix::bench_batch_norm(images, 32, 64);
  noisymix::bench_batch_norm(images, 32, 16);
  noisymix::bench_batch_norm(images, 4, 512);
}
