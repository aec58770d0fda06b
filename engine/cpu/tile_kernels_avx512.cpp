// Tile kernels for AVX-512 without bf16 instructions: bf16 numbers are widened to f32 in registers. Compiled
// with that instruction set switched on: includes nothing that other files share.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored \
    "-Wuninitialized"  // gcc 12's own header leaves its pass-through operands undefined
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif

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
  static type low(words v) { return _mm512_castsi512_ps(_mm512_slli_epi32(v, 16)); }
  static type high(words v) {
    return _mm512_castsi512_ps(_mm512_and_si512(v, _mm512_set1_epi32(static_cast<int>(0xFFFF0000u))));
  }
  static type multiply_add_pairs(words a, words b, type sum) {
    return _mm512_fmadd_ps(high(a), high(b), _mm512_fmadd_ps(low(a), low(b), sum));
  }
};

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/tile_kernels_impl.h"

namespace noisymix::cpu {

/// Four rounds: neighbouring rows, pairs of rows, then quarters of the registers.
void transpose_16x16_avx512(const std::uint32_t* from, std::int64_t from_stride, std::uint32_t* to,
                            std::int64_t to_stride) {
  __m512i r[16], t[16];
  NM_UNROLL for (int i = 0; i < 16; ++i) r[i] = _mm512_loadu_si512(from + i * from_stride);
  NM_UNROLL for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
  NM_UNROLL for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  NM_UNROLL for (int j = 0; j < 4; ++j) {
    t[j] = _mm512_shuffle_i32x4(r[j], r[j + 4], 0x88);
    t[j + 4] = _mm512_shuffle_i32x4(r[j], r[j + 4], 0xDD);
    t[j + 8] = _mm512_shuffle_i32x4(r[j + 8], r[j + 12], 0x88);
    t[j + 12] = _mm512_shuffle_i32x4(r[j + 8], r[j + 12], 0xDD);
  }
  NM_UNROLL for (int j = 0; j < 4; ++j) {
    _mm512_storeu_si512(to + j * to_stride, _mm512_shuffle_i32x4(t[j], t[j + 8], 0x88));
    _mm512_storeu_si512(to + (j + 8) * to_stride, _mm512_shuffle_i32x4(t[j], t[j + 8], 0xDD));
    _mm512_storeu_si512(to + (j + 4) * to_stride, _mm512_shuffle_i32x4(t[j + 4], t[j + 12], 0x88));
    _mm512_storeu_si512(to + (j + 12) * to_stride, _mm512_shuffle_i32x4(t[j + 4], t[j + 12], 0xDD));
  }
}

void join_avx512(const std::uint16_t* low, const std::uint16_t* high, std::int64_t n, std::uint32_t* words) {
  std::int64_t j = 0;
  for (; j + 16 <= n; j += 16) {
    const __m512i a = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(low + j)));
    const __m512i b = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(high + j)));
    _mm512_storeu_si512(words + j, _mm512_or_si512(a, _mm512_slli_epi32(b, 16)));
  }
  for (; j < n; ++j)
    words[j] = static_cast<std::uint32_t>(low[j]) | (static_cast<std::uint32_t>(high[j]) << 16);
}

constexpr TileKernels kTable = make_tile_table(transpose_16x16_avx512, join_avx512, round_rows_plain);
const TileKernels kAvx512Tiles = kTable;

}  // namespace noisymix::cpu
