// An affine map's blocks without leaving the registers, from coordinates to pixels; a gather brings a pixel
// and its right neighbour. Fused multiply-add only makes the error smaller. (GCC 12 warns of the undefined
// lanes inside unmasked conversions and gathers, hence masks that keep all lanes.)
#if defined(__x86_64__)
#include <immintrin.h>

#include "augment/bilinear_blocks.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

constexpr __mmask16 kAll = 0xFFFF;

/// One channel of the neighbours as floats: the left one and the way to the right one.
struct Side {
  __m512 left, way;
};

NM_TARGET_AVX512 inline Side side_of(__m512i left, __m512i right, unsigned shift) {
  const __m512i byte = _mm512_set1_epi32(255);
  const __m512i from = _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, left, shift), byte);
  const __m512i to = _mm512_and_si512(_mm512_maskz_srli_epi32(kAll, right, shift), byte);
  return {_mm512_maskz_cvtepi32_ps(kAll, from), _mm512_maskz_cvtepi32_ps(kAll, _mm512_sub_epi32(to, from))};
}

/// Two vectors of 64-bit pairs: all left halves and all right halves.
struct Pairs {
  __m512i left, right;
};

NM_TARGET_AVX512 inline Pairs gather_pairs(const std::uint32_t* words, __m512i at, __mmask16 inside) {
  const __m256i first = _mm512_maskz_extracti64x4_epi64(0xF, at, 0),
                second = _mm512_maskz_extracti64x4_epi64(0xF, at, 1);
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low = _mm512_mask_i32gather_epi64(zero, static_cast<__mmask8>(inside), first, words, 4);
  const __m512i high =
      _mm512_mask_i32gather_epi64(zero, static_cast<__mmask8>(inside >> 8), second, words, 4);
  const __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  const __m512i odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
  return {_mm512_permutex2var_epi32(low, even, high), _mm512_permutex2var_epi32(low, odd, high)};
}

/// A coordinate of 16 pixels: pixel and left neighbour as whole numbers, weight, and which lie on an edge.
struct Axis {
  __m512i pixel, neighbour;
  __m512 weight;
  __mmask16 edge;
};

NM_TARGET_AVX512 inline Axis axis_of(std::int32_t whole, std::int32_t part, const Lanes& steps) {
  const __m512i at = _mm512_add_epi32(_mm512_set1_epi32(part), _mm512_loadu_si512(steps.data()));
  const __m512i base = _mm512_set1_epi32(whole), half = _mm512_set1_epi32(kHalf);
  const __m512i fraction = _mm512_and_si512(at, _mm512_set1_epi32((1 << kFractionBits) - 1));
  return {
      _mm512_add_epi32(base, _mm512_maskz_srai_epi32(kAll, _mm512_add_epi32(at, half), kFractionBits)),
      _mm512_add_epi32(base, _mm512_maskz_srai_epi32(kAll, at, kFractionBits)),
      _mm512_mul_ps(_mm512_maskz_cvtepi32_ps(kAll, fraction), _mm512_set1_ps(1.0f / (1 << kFractionBits))),
      _mm512_testn_epi32_mask(_mm512_add_epi32(at, _mm512_set1_epi32(4)), _mm512_set1_epi32(kHalf - 8))};
}

/// Writes one block of words and returns which are doubtful.
NM_TARGET_AVX512 inline std::uint32_t sample_block(std::uint32_t* words, const Source& source,
                                                   const Start& start) {
  const Axis x = axis_of(start.column, start.column_part, source.column_steps);
  const Axis y = axis_of(start.row, start.row_part, source.row_steps);
  const __mmask16 inside =
      _mm512_mask_cmplt_epu32_mask(_mm512_cmplt_epu32_mask(x.pixel, _mm512_set1_epi32(source.width)), y.pixel,
                                   _mm512_set1_epi32(source.height));
  const __m512i row = _mm512_mullo_epi32(y.neighbour, _mm512_set1_epi32(source.stride));
  const __m512i at =
      _mm512_add_epi32(_mm512_add_epi32(row, x.neighbour), _mm512_set1_epi32(source.stride + 1));
  const Pairs upper = gather_pairs(source.words, at, inside),
              lower = gather_pairs(source.words + source.stride, at, inside);
  const __m512i varied = _mm512_or_si512(
      _mm512_or_si512(_mm512_xor_si512(upper.left, upper.right), _mm512_xor_si512(lower.left, lower.right)),
      _mm512_xor_si512(upper.left, lower.left));
  const __m512 guard = _mm512_set1_ps(kGuard);
  __m512i word = _mm512_setzero_si512();
  std::uint32_t doubtful = 0;
  for (unsigned shift = 0; shift < 24; shift += 8) {
    const Side above = side_of(upper.left, upper.right, shift),
               below = side_of(lower.left, lower.right, shift);
    const __m512 top = _mm512_fmadd_ps(above.way, x.weight, above.left);
    const __m512 bottom = _mm512_fmadd_ps(below.way, x.weight, below.left);
    const __m512 value = _mm512_fmadd_ps(_mm512_sub_ps(bottom, top), y.weight, top);
    const __m512i least = _mm512_maskz_cvttps_epi32(kAll, _mm512_sub_ps(value, guard));
    const __m512i most = _mm512_maskz_cvttps_epi32(kAll, _mm512_add_ps(value, guard));
    const __mmask16 differ = _mm512_test_epi32_mask(varied, _mm512_set1_epi32(255 << shift));
    doubtful |= _mm512_mask_cmpneq_epi32_mask(differ, least, most);
    word = _mm512_or_si512(word, _mm512_maskz_slli_epi32(kAll, most, shift));
  }
  _mm512_storeu_si512(words, _mm512_maskz_mov_epi32(inside, word));
  return (doubtful & inside) | x.edge | y.edge;
}

}  // namespace

NM_TARGET_AVX512 bool sample_row_avx512(std::uint32_t* words, std::uint32_t* doubts, const Source& source,
                                        const Start* starts, std::size_t blocks) {
  std::uint32_t any = 0;
  for (std::size_t block = 0; block < blocks; ++block) {
    doubts[block] = sample_block(words + block * kLanes, source, starts[block]);
    any |= doubts[block];
  }
  return any != 0;
}

}  // namespace noisymix
#endif
