// Which instruction sets this processor has, and which of them the kernels use.
#pragma once

#include <vector>

namespace noisymix::cpu {

/// Levels that kernels are written for, each containing the ones before. portable is plain C++ and runs
/// everywhere; avx512_bf16 adds dot products of bf16 pairs, amx the matrix unit. f32 kernels are the same
/// from avx512 on.
enum class Isa { portable, avx2, avx512, avx512_bf16, amx };

const char* name_of(Isa isa);

/// The highest level that both this processor and this build have.
Isa best_isa();

/// The level in use: best_isa(), unless the environment variable NOISYMIX_ISA (one of the names above) asks
/// for a lower one. Throws ConfigError on an unknown name; a level the processor lacks is lowered to what it
/// has.
Isa active_isa();

/// The level of ordinary vectors: portable, avx2 or avx512, whatever else active_isa() has.
inline Isa vector_isa() {
  const Isa active = active_isa();
  return active < Isa::avx512 ? active : Isa::avx512;
}

/// Changes the level in use, for tests and benchmarks. Throws DeviceError when the processor lacks it.
void set_isa(Isa isa);

/// Every level that can be used here, lowest first.
std::vector<Isa> usable_isas();

}  // namespace noisymix::cpu
