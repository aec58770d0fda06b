#include "engine/cpu/cpu_features.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <string>

#include "engine/error.h"

namespace noisymix::cpu {
namespace {

constexpr Isa kLevels[] = {Isa::portable, Isa::avx2, Isa::avx512};

Isa detect() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Isa::portable;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return wide ? Isa::avx512 : Isa::avx2;
#else
  return Isa::portable;
#endif
}

Isa requested() {
  const char* value = std::getenv("NOISYMIX_ISA");
  if (value == nullptr || *value == '\0') return best_isa();
  for (const Isa isa : kLevels)
    if (std::string(value) == name_of(isa)) return std::min(isa, best_isa());
  fail<ConfigError>("NOISYMIX_ISA expects portable, avx2 or avx512, got ", value);
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
