#include "engine/cpu/cpu_features.h"

#if defined(__x86_64__)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "engine/error.h"

namespace noisymix::cpu {
namespace {

constexpr Isa kLevels[] = {Isa::portable, Isa::avx2, Isa::avx512, Isa::avx512_bf16, Isa::amx};

#if defined(__x86_64__)
bool cpuid_bit(unsigned subleaf, int which, int bit) {
  unsigned r[4] = {};  // eax, ebx, ecx, edx of leaf 7
  return __get_cpuid_count(7, subleaf, &r[0], &r[1], &r[2], &r[3]) != 0 && ((r[which] >> bit) & 1u) != 0;
}

/// The tile registers are large, so the kernel hands them out only to processes that ask.
bool request_tiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

Isa detect_bf16() {
  constexpr int kEax = 0, kEdx = 3;
  if (!cpuid_bit(1, kEax, 5)) return Isa::avx512;
  const bool tiles = cpuid_bit(0, kEdx, 22) && cpuid_bit(0, kEdx, 24);
  return tiles && request_tiles() ? Isa::amx : Isa::avx512_bf16;
}
#endif

Isa detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::portable;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return wide ? detect_bf16() : Isa::avx2;
#else
  return Isa::portable;
#endif
}

Isa requested() {
  const char* value = std::getenv("NOISYMIX_ISA");
  if (value == nullptr || *value == '\0') return best_isa();
  for (const Isa isa : kLevels)
    if (std::string(value) == name_of(isa)) return std::min(isa, best_isa());
  fail<ConfigError>("NOISYMIX_ISA expects portable, avx2, avx512, avx512_bf16 or amx, got ", value);
}

std::atomic<Isa>& level() {
  static std::atomic<Isa> current{requested()};
  return current;
}

}  // namespace

const char* name_of(Isa isa) {
  switch (isa) {
    case Isa::portable:
      return "portable";
    case Isa::avx2:
      return "avx2";
    case Isa::avx512:
      return "avx512";
    case Isa::avx512_bf16:
      return "avx512_bf16";
    case Isa::amx:
      return "amx";
  }
  return "?";
}

Isa best_isa() {
  static const Isa best = detect();
  return best;
}

Isa active_isa() {
  return level().load(std::memory_order_relaxed);
}

void set_isa(Isa isa) {
  NM_CHECK_AS(DeviceError, isa <= best_isa(), "[isa] this processor has no ", name_of(isa), ", only up to ",
              name_of(best_isa()));
  level().store(isa);
}

std::vector<Isa> usable_isas() {
  std::vector<Isa> result;
  for (const Isa isa : kLevels)
    if (isa <= best_isa()) result.push_back(isa);
  return result;
}

}  // namespace noisymix::cpu
