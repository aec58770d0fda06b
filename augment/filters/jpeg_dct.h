// The 8-point integer cosine transforms of JPEG codecs: 13-bit constants, two extra bits between the passes.
// Rounding is part of the format in practice: other transforms give other pixels.
#pragma once

#include <cstdint>

namespace noisymix::jpeg {

#define NM_ALWAYS_INLINE static inline __attribute__((always_inline))

// Constants times 2^13. cN is cos(N pi / 16) times the square root of two.
inline constexpr std::int32_t kC6 = 4433, kC2MinusC6 = 6270, kC2PlusC6 = 15137;  // rotation of the even half
inline constexpr std::int32_t kC3 = 9633, kC5MinusC3 = 3196, kC3PlusC5 = 16069;  // 1.1759, 0.3902, 1.9616
inline constexpr std::int32_t kC3MinusC7 = 7373, kC1PlusC3 = 20995;              // 0.8999, 2.5629
inline constexpr std::int32_t kOdd7 = 2446, kOdd5 = 16819, kOdd3 = 25172, kOdd1 = 12299;
inline constexpr int kConstantBits = 13, kExtraBits = 2;

NM_ALWAYS_INLINE std::int32_t rounded_shift(std::int32_t value, int bits) {
  return (value + (1 << (bits - 1))) >> bits;
}

/// The rotations of the odd half, which both directions share: the four sums, unshifted, in the order of the
/// inputs.
struct OddHalf {
  std::int32_t a, b, c, d;
};
NM_ALWAYS_INLINE OddHalf odd_half(std::int32_t a, std::int32_t b, std::int32_t c, std::int32_t d) {
  const std::int32_t both = (a + c + b + d) * kC3;
  const std::int32_t ad = (a + d) * -kC3MinusC7, bc = (b + c) * -kC1PlusC3;
  const std::int32_t ac = (a + c) * -kC3PlusC5 + both, bd = (b + d) * -kC5MinusC3 + both;
  return {a * kOdd7 + ad + ac, b * kOdd5 + bc + bd, c * kOdd3 + bc + ac, d * kOdd1 + ad + bd};
}

/// One forward pass over eight lanes: in[8 k + lane] is sample k, out[8 k + lane] coefficient k. The first
/// pass leaves its results 2^kExtraBits too large, the second removes that; together they scale by 8.
template <bool kFirst>
NM_ALWAYS_INLINE void forward_pass(const std::int32_t* __restrict__ in, std::int32_t* __restrict__ out) {
  constexpr int kShift = kFirst ? kConstantBits - kExtraBits : kConstantBits + kExtraBits;
  for (int i = 0; i < 8; ++i) {
    const std::int32_t s07 = in[i] + in[56 + i], d07 = in[i] - in[56 + i];
    const std::int32_t s16 = in[8 + i] + in[48 + i], d16 = in[8 + i] - in[48 + i];
    const std::int32_t s25 = in[16 + i] + in[40 + i], d25 = in[16 + i] - in[40 + i];
    const std::int32_t s34 = in[24 + i] + in[32 + i], d34 = in[24 + i] - in[32 + i];
    const std::int32_t outer = s07 + s34, inner = s16 + s25;
    const std::int32_t outer_d = s07 - s34, inner_d = s16 - s25;
    if constexpr (kFirst) {
      out[i] = (outer + inner) * (1 << kExtraBits);
      out[32 + i] = (outer - inner) * (1 << kExtraBits);
    } else {
      out[i] = rounded_shift(outer + inner, kExtraBits);
      out[32 + i] = rounded_shift(outer - inner, kExtraBits);
    }
    const std::int32_t rotated = (outer_d + inner_d) * kC6;
    out[16 + i] = rounded_shift(rotated + outer_d * kC2MinusC6, kShift);
    out[48 + i] = rounded_shift(rotated - inner_d * kC2PlusC6, kShift);
    const OddHalf odd = odd_half(d34, d25, d16, d07);
    out[56 + i] = rounded_shift(odd.a, kShift);
    out[40 + i] = rounded_shift(odd.b, kShift);
    out[24 + i] = rounded_shift(odd.c, kShift);
    out[8 + i] = rounded_shift(odd.d, kShift);
  }
}

/// One inverse pass over eight lanes: in[8 k + lane] is coefficient k, out[8 k + lane] sample k.
template <bool kFirst>
NM_ALWAYS_INLINE void inverse_pass(const std::int32_t* __restrict__ in, std::int32_t* __restrict__ out) {
  constexpr int kShift = kFirst ? kConstantBits - kExtraBits : kConstantBits + kExtraBits + 3;
  for (int i = 0; i < 8; ++i) {
    const std::int32_t rotated = (in[16 + i] + in[48 + i]) * kC6;
    const std::int32_t even2 = rotated - in[48 + i] * kC2PlusC6, even3 = rotated + in[16 + i] * kC2MinusC6;
    const std::int32_t even0 = (in[i] + in[32 + i]) * (1 << kConstantBits);
    const std::int32_t even1 = (in[i] - in[32 + i]) * (1 << kConstantBits);
    const std::int32_t e0 = even0 + even3, e3 = even0 - even3, e1 = even1 + even2, e2 = even1 - even2;
    const OddHalf odd = odd_half(in[56 + i], in[40 + i], in[24 + i], in[8 + i]);
    out[i] = rounded_shift(e0 + odd.d, kShift);
    out[56 + i] = rounded_shift(e0 - odd.d, kShift);
    out[8 + i] = rounded_shift(e1 + odd.c, kShift);
    out[48 + i] = rounded_shift(e1 - odd.c, kShift);
    out[16 + i] = rounded_shift(e2 + odd.b, kShift);
    out[40 + i] = rounded_shift(e2 - odd.b, kShift);
    out[24 + i] = rounded_shift(e3 + odd.a, kShift);
    out[32 + i] = rounded_shift(e3 - odd.a, kShift);
  }
}

NM_ALWAYS_INLINE void transpose(const std::int32_t* __restrict__ in, std::int32_t* __restrict__ out) {
  for (int i = 0; i < 8; ++i)
    for (int k = 0; k < 8; ++k) out[8 * i + k] = in[8 * k + i];
}

}  // namespace noisymix::jpeg
