// Tile kernels for AVX2 and FMA: bf16 numbers are widened to f32 in registers. Compiled with that instruction
// set switched on: includes nothing that other files share.
#include <immintrin.h>

#include <cstdint>

namespace noisymix::cpu {
namespace {

struct Vector {
  using type = __m256;
  using words = __m256i;
  static constexpr int lanes = 8, rows = 8;
  static type load(const float* p) { return _mm256_loadu_ps(p); }
  static void store(float* p, type v) { _mm256_storeu_ps(p, v); }
  static type zero() { return _mm256_setzero_ps(); }
  static words load_words(const std::uint16_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  static words broadcast_word(const std::uint16_t* p) {
    std::int32_t w = 0;
    __builtin_memcpy(&w, p, sizeof w);
    return _mm256_set1_epi32(w);
  }
  static type low(words v) { return _mm256_castsi256_ps(_mm256_slli_epi32(v, 16)); }
  static type high(words v) {
    return _mm256_castsi256_ps(_mm256_and_si256(v, _mm256_set1_epi32(static_cast<int>(0xFFFF0000u))));
  }
  static type multiply_add_pairs(words a, words b, type sum) {
    return _mm256_fmadd_ps(high(a), high(b), _mm256_fmadd_ps(low(a), low(b), sum));
  }
};

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/tile_kernels_impl.h"

namespace noisymix::cpu {

constexpr TileKernels kTable = make_tile_table(transpose_plain, join_plain, round_rows_plain);
const TileKernels kAvx2Tiles = kTable;

}  // namespace noisymix::cpu
