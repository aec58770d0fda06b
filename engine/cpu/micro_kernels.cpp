// The portable micro-kernels, and the choice between the tables.
#include "engine/cpu/cpu_features.h"

namespace noisymix::cpu {
namespace {

/// Four floats in the compilers' own vector type: SSE2 on x86-64, Neon on Arm. Multiplication and addition
/// round separately, as everywhere outside the hand-written kernels.
struct Vector {
  typedef float type __attribute__((vector_size(16)));
  typedef float unaligned __attribute__((vector_size(16), aligned(4), may_alias));
  static constexpr int lanes = 4;
  static type load(const float* p) { return *reinterpret_cast<const unaligned*>(p); }
  static void store(float* p, type v) { *reinterpret_cast<unaligned*>(p) = v; }
  static type broadcast(float x) { return type{x, x, x, x}; }
  static type add(type a, type b) { return a + b; }
  static type subtract(type a, type b) { return a - b; }
  static type multiply(type a, type b) { return a * b; }
  static type multiply_add(type a, type b, type sum) { return sum + a * b; }
};

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/micro_kernels_impl.h"
#include "engine/cpu/winograd_kernels_impl.h"

namespace noisymix::cpu {

constexpr MicroKernels kTable = make_table<8, 6, 8, 6, 4>();
const MicroKernels kPortableKernels = kTable;
constexpr WinogradKernels kWinogradTable = make_winograd_table();
const WinogradKernels kPortableWinograd = kWinogradTable;

const MicroKernels& micro_kernels() {
#if defined(__x86_64__)
  if (active_isa() >= Isa::avx512) return kAvx512Kernels;
  if (active_isa() == Isa::avx2) return kAvx2Kernels;
#endif
  return kPortableKernels;
}

const WinogradKernels& winograd_kernels() {
#if defined(__x86_64__)
  switch (vector_isa()) {
    case Isa::avx512:
      return kAvx512Winograd;
    case Isa::avx2:
      return kAvx2Winograd;
    default:
      break;
  }
#endif
  return kPortableWinograd;
}

}  // namespace noisymix::cpu
