// Which instruction sets this processor has, and which of them the kernels use.
#pragma once

#include <vector>

namespace noisymix::cpu {

/// Levels that kernels are written for, each containing the ones before. portable is plain C++ and runs
/// everywhere.
enum class Isa { portable, avx2, avx512 };

const char* name_of(Isa isa);

/// The highest level that both this processor and this build have.
Isa best_isa();

/// The level in use: best_isa(), unless the environment variable NOISYMIX_ISA (portable, avx2, avx512) asks
/// for a lower one. Throws ConfigError on an unknown name; a level the processor lacks is lowered to what it
/// has.
Isa active_isa();

/// Changes the level in use, for tests and benchmarks. Throws DeviceError when the processor lacks it.
void set_isa(Isa isa);

/// Every level that can be used here, lowest first.
std::vector<Isa> usable_isas();

}  // namespace noisymix::cpu
