// Tile kernels for AVX-512 with dot products of bf16 pairs. Compiled with that instruction set switched on:
// includes nothing that other files share.
#include <immintrin.h>

#include <cstdint>

namespace noisymix::cpu {
namespace {

struct Vector {
  using type = __m512;
  using words = __m512i;
  static constexpr int lanes = 16, rows = 16;
  static type load(const float* p) { return _mm512_loadu_ps(p); }
  static void store(float* p, type v) { _mm512_storeu_ps(p, v); }
  static type zero() { return _mm512_setzero_ps(); }
  static words load_words(const std::uint16_t* p) { return _mm512_loadu_si512(p); }
  static words broadcast_word(const std::uint16_t* p) {
    std::int32_t w = 0;
    __builtin_memcpy(&w, p, sizeof w);
    return _mm512_set1_epi32(w);
  }
  static type multiply_add_pairs(words a, words b, type sum) {
    return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b);
  }
};

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/tile_kernels_impl.h"

namespace noisymix::cpu {

void round_rows_avx512_bf16(const float* sums, std::int64_t rows, std::uint16_t* y, std::int64_t distance) {
  for (std::int64_t i = 0; i < rows; ++i, sums += 2 * kTileColumns, y += distance)
    _mm512_storeu_si512(y, (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(sums + 16), _mm512_loadu_ps(sums)));
}

constexpr TileKernels kTable = make_tile_table(transpose_16x16_avx512, join_avx512, round_rows_avx512_bf16);
const TileKernels kAvx512Bf16Tiles = kTable;

}  // namespace noisymix::cpu
