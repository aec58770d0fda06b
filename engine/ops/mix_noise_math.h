// The noise of mix_noise.h from the words of a Philox block, the same on both kinds of devices: integers and
// uniform draws to the bit, normal ones up to the contraction of a multiplication and an addition.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "engine/host_device.h"

#define NM_INLINE NM_HOST_DEVICE inline __attribute__((always_inline))

namespace noisymix::noise {

template <typename To, typename From>
NM_INLINE To bits_as(From value) {
  static_assert(sizeof(To) == sizeof(From));
  To result;
  memcpy(&result, &value, sizeof result);
  return result;
}

/// condition ? a : b by bit masks. With a plain conditional the compiler moves the arithmetic behind a
/// branch, because it might trap, and then cannot vectorise the loop.
NM_INLINE float select(bool condition, float a, float b) {
  const std::uint32_t mask = 0u - static_cast<std::uint32_t>(condition);
  return bits_as<float>((bits_as<std::uint32_t>(a) & mask) | (bits_as<std::uint32_t>(b) & ~mask));
}

/// a * b, rounded: never contracted with an addition that follows.
NM_INLINE float product(float a, float b) {
#ifdef __CUDA_ARCH__
  return __fmul_rn(a, b);
#else
  return a * b;
#endif
}

/// A word as float, rounded once: both halves are exact, also where only signed conversions exist.
NM_INLINE float to_float(std::uint32_t word) {
  return static_cast<float>(static_cast<std::int32_t>(word >> 16)) * 65536.0f +
         static_cast<float>(static_cast<std::int32_t>(word & 0xFFFFu));
}

/// sqrt(-2 ln u), u = (word + 1/2) / 2^32: the radius of a pair of standard normals, at most 6.77.
NM_INLINE float normal_radius(std::uint32_t word) {
  const float high = static_cast<float>(static_cast<std::int32_t>(word >> 16)) * 65536.0f;
  const float u = (high + (static_cast<float>(static_cast<std::int32_t>(word & 0xFFFFu)) + 0.5f)) * 0x1p-32f;
  // u = m 2^e with m in [sqrt(1/2), sqrt(2)); 0x3F3504F3 are the bits of sqrt(1/2).
  const auto bits = bits_as<std::int32_t>(u);
  const std::int32_t e = (bits - 0x3F3504F3) >> 23;
  const float f = bits_as<float>(bits - e * (1 << 23)) - 1.0f;
  // Minimax fit of -2 ln(1 + f) / f, relative error 4e-9 before rounding.
  float q = 0.15661647f;
  q = q * f - 0.26038310f;
  q = q * f + 0.26424523f;
  q = q * f - 0.28321441f;
  q = q * f + 0.33220684f;
  q = q * f - 0.40006413f;
  q = q * f + 0.50003142f;
  q = q * f - 0.66666605f;
  q = q * f + 0.99999977f;
  q = q * f - 2.0f;
  const float square = static_cast<float>(e) * -1.38629436f + q * f;
  return std::sqrt(select(square > 0.0f, square, 0.0f));
}

/// Box-Muller: two independent standard normals from two words. The angle's top two bits choose the quadrant;
/// the rest are an angle in [-pi/4, pi/4), where sine and cosine are short polynomials.
NM_INLINE void normal_pair(std::uint32_t radius, std::uint32_t word, float& first, float& second) {
  const float t = static_cast<float>(static_cast<std::int32_t>(word << 2) >> 8) * 0x1p-23f;  // angle / (pi/4)
  const float z = t * t;
  const float sine = (((-3.5954508e-5f * z + 2.4900071e-3f) * z - 8.0745435e-2f) * z + 0.78539816f) * t;
  const float cosine =
      (((3.5298113e-6f * z - 3.2593861e-4f) * z + 1.5854325e-2f) * z - 0.30842514f) * z + 1.0f;
  const float r = normal_radius(radius);
  const float signed_r = bits_as<float>(bits_as<std::uint32_t>(r) | (word & 0x80000000u));
  const bool turned = (word & 0x40000000u) != 0;  // by a quarter: (cos, sin) becomes (-sin, cos)
  first = signed_r * select(turned, -sine, cosine);
  second = signed_r * select(turned, cosine, sine);
}

/// Both masks and the uniform draw of one element, all from one word w. The additive entry is left out where
/// w < sparse 2^32. Given that outcome w is still uniform on its side of the threshold; rescaled to [0, 1) it
/// decides about the multiplicative entry in the same way, and what remains, rescaled again, is that entry's
/// uniform draw. So every probability is exact to 2^-24 and one Philox block serves two elements.
struct Sieve {
  std::uint32_t threshold;  // sparse * 2^32
  float sparse;
  float below_scale, above_scale;  // to [0, 1) of the part below and above the threshold
  float rest_scale;                // 1 / (1 - sparse)

  explicit Sieve(double q)
      : threshold(static_cast<std::uint32_t>(q * 0x1p32 < 0x1p32 - 1 ? q * 0x1p32 : 0x1p32 - 1)),
        sparse(static_cast<float>(q)),
        below_scale(threshold > 0 ? static_cast<float>(1.0 / threshold) : 0.0f),
        above_scale(static_cast<float>(1.0 / (0x1p32 - threshold))),
        rest_scale(static_cast<float>(1.0 / (1 - q > 0x1p-24 ? 1 - q : 0x1p-24))) {}
};

/// level * normal, or 0 where the entry is left out.
NM_INLINE float additive(float normal, std::uint32_t word, std::uint32_t threshold, float level) {
  return select(word < threshold, 0.0f, level * normal);
}

/// The part of a word that is left after the additive mask, in [0, 1].
NM_INLINE float remainder(std::uint32_t word, const Sieve& sieve) {
  const bool below = word < sieve.threshold;
  const std::uint32_t above_mask = static_cast<std::uint32_t>(below) - 1u;
  return product(to_float(word - (sieve.threshold & above_mask)),
                 select(below, sieve.below_scale, sieve.above_scale));
}

/// 1 + level * U(-1, 1), or 1 where the entry is left out.
NM_INLINE float uniform_factor(std::uint32_t word, const Sieve& sieve, float level) {
  const float x = remainder(word, sieve);
  const float u = product(x - sieve.sparse, sieve.rest_scale);
  return select(x < sieve.sparse, 1.0f, 1.0f + product(level, 2.0f * u - 1.0f));
}

/// 1 + level * normal, or 1 where the entry is left out: the same masks around a normal that is there.
NM_INLINE float normal_factor(float normal, std::uint32_t word, const Sieve& sieve, float level) {
  return select(remainder(word, sieve) < sieve.sparse, 1.0f, 1.0f + level * normal);
}

/// What kernels on a GPU read of one view's noise, and what comes before that of the first view: the bytes
/// that pack_mix_noise() makes are a StepHead, a StepNoise per view, the permutation and its inverse.
struct StepHead {
  double lambda;
  std::int64_t views;
};
struct alignas(16) StepNoise {
  std::uint64_t key, normal_key;  // Philox words of the draws, and of multiplicative normals
  Sieve sieve;
  float add, mult;
  std::int32_t normal_law;
};

}  // namespace noisymix::noise

#undef NM_INLINE
