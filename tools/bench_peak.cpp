#include "tools/bench_peak.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <vector>

#include <nlohmann/json.hpp>

#include "engine/cpu/cpu_features.h"
#include "engine/cpu/micro_kernels.h"
#include "engine/cpu/packed_tiles.h"
#include "engine/cpu/parallel.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

constexpr int kRepeats = 5;

/// Work per second when every one of `threads` threads runs `work`, which returns how much it did; best of
/// several.
double rate(int threads, const std::function<double(int thread)>& work) {
  double best = 0;
  for (int repeat = 0; repeat < kRepeats; ++repeat) {
    std::vector<double> done(static_cast<std::size_t>(threads));
    const double start = steady_seconds();
    cpu::parallel_for(threads, 1, [&](std::int64_t i, std::int64_t) {
      done[static_cast<std::size_t>(i)] = work(static_cast<int>(i));
    });
    double total = 0;
    for (const double d : done) total += d;
    best = std::max(best, total / (steady_seconds() - start));
  }
  return best;
}

double spin_f32(int) {
  alignas(64) float out[16];
  std::fill_n(out, 16, 0.5f);  // converges, so that no sum overflows
  return static_cast<double>(cpu::micro_kernels().spin(1'500'000, out));
}

double spin_bf16(int) {
  alignas(64) float out[16 * 16];
  std::fill_n(out, 16 * 16, 0.0f);
  const cpu::TileSession session;
  const std::int64_t rounds = cpu::active_isa() == cpu::Isa::amx ? 1'000'000 : 500'000;
  return static_cast<double>(session.kernels().spin(rounds, out));
}

PeakRate copy_rate(int threads) {
  constexpr std::int64_t kMiB = 1 << 20;
  const std::int64_t bytes =
      std::max<std::int64_t>(32, 512 / threads) * kMiB;  // per thread, beyond the caches
  const Tensor from = Tensor::zeros({threads, bytes}, Dtype::u8);
  Tensor to = Tensor::zeros(from.shape(), Dtype::u8);
  const auto copy = [&](int thread) {
    std::memcpy(to.raw() + thread * bytes, from.raw() + thread * bytes, static_cast<std::size_t>(bytes));
    return 2.0 * static_cast<double>(bytes);
  };
  return {rate(1, copy), rate(threads, copy)};
}

nlohmann::ordered_json json_of(const PeakRate& rate) {
  const auto giga = [](double value) { return std::round(value * 1e-8) / 10; };
  return {{"one", giga(rate.one)}, {"all", giga(rate.all)}};
}

}  // namespace

BenchPeakResult bench_peak() {
  BenchPeakResult result;
  result.isa = cpu::name_of(cpu::active_isa());
  result.threads = cpu::threads();
  result.f32 = {rate(1, spin_f32), rate(result.threads, spin_f32)};
  result.bf16 = {rate(1, spin_bf16), rate(result.threads, spin_bf16)};
  result.copy = copy_rate(result.threads);
  return result;
}

std::string to_json(const BenchPeakResult& r) {
  return nlohmann::ordered_json{{"isa", r.isa},
                                {"threads", r.threads},
                                {"f32_gflops", json_of(r.f32)},
                                {"bf16_gflops", json_of(r.bf16)},
                                {"copy_gbs", json_of(r.copy)}}
      .dump();
}

std::string to_text(const BenchPeakResult& r) {
  char text[512];
  std::snprintf(text, sizeof text,
                "instruction set %s           1 thread  %3d threads\n"
                "f32 multiply and add, GFLOP/s   %9.0f  %11.0f\n"
                "bf16 multiply and add, GFLOP/s  %9.0f  %11.0f\n"
                "memory copy, GB/s               %9.1f  %11.1f\n",
                r.isa.c_str(), r.threads, r.f32.one * 1e-9, r.f32.all * 1e-9, r.bf16.one * 1e-9,
                r.bf16.all * 1e-9, r.copy.one * 1e-9, r.copy.all * 1e-9);
  return text;
}

}  // namespace noisymix
