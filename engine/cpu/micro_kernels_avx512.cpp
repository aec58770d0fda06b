// Micro-kernels for AVX-512 (32 registers of 16 floats). Compiled with that instruction set switched on:
// includes nothing that other files share, and runs only after cpu_features.h has found the processor able.
#include <immintrin.h>

namespace noisymix::cpu {
namespace {

struct Vector {
  using type = __m512;
  static constexpr int lanes = 16;
  static type load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, type v) { _mm512_storeu_ps(p, v); }
  static type broadcast(float x) { return _mm512_set1_ps(x); }
  static type add(type a, type b) { return _mm512_add_ps(a, b); }
  static type subtract(type a, type b) { return _mm512_sub_ps(a, b); }
  static type multiply(type a, type b) { return _mm512_mul_ps(a, b); }
  static type multiply_add(type a, type b, type sum) { return _mm512_fmadd_ps(a, b, sum); }
};

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/micro_kernels_impl.h"
#include "engine/cpu/winograd_kernels_impl.h"

namespace noisymix::cpu {

constexpr MicroKernels kTable = make_table<12, 12, 12, 12, 8>();
const MicroKernels kAvx512Kernels = kTable;
constexpr WinogradKernels kWinogradTable = make_winograd_table();
const WinogradKernels kAvx512Winograd = kWinogradTable;

}  // namespace noisymix::cpu
