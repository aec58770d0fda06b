// From the samples of a block to quantised coefficients.
#pragma once

#include <cstdint>

#include "augment/filters/jpeg_dct.h"
#include "augment/filters/jpeg_tables.h"

namespace noisymix {

/// Rounded division by the steps of a table, as a product.
struct JpegQuantiser {
  alignas(64) std::int32_t step[64];
  alignas(64) float inverse[64];  ///< 1 / (8 step): the transform's results are 8 times too large
};

/// Of luma (plane 0) or chroma. Throws ConfigError unless 1 <= quality <= 100.
inline JpegQuantiser make_jpeg_quantiser(int plane, int quality) {
  const auto steps = jpeg_steps(plane, quality);
  JpegQuantiser quantiser;
  for (std::size_t i = 0; i < 64; ++i) {
    quantiser.step[i] = steps[i];
    quantiser.inverse[i] = 1.0f / static_cast<float>(8 * steps[i]);
  }
  return quantiser;
}

namespace jpeg {

/// Coefficients, times 8, of the 8 x 8 samples at `samples`: coefficients[8 v + u]. `work` has room for 64.
NM_ALWAYS_INLINE void forward_block(const std::uint8_t* samples, int stride, std::int32_t* __restrict__ work,
                                    std::int32_t* __restrict__ coefficients) {
  for (int y = 0; y < 8; ++y)
    for (int x = 0; x < 8; ++x) work[8 * x + y] = samples[y * stride + x] - 128;
  forward_pass<true>(work, coefficients);
  transpose(coefficients, work);
  forward_pass<false>(work, coefficients);
}

/// value / (8 step), halves away from zero. Exact: the quotient with the half added is at least 1/2 of
/// 1 / (8 step) away from the next integer, and its float error is below 2^-22 of it while |value| < 2^19.
NM_ALWAYS_INLINE std::int32_t quantised(std::int32_t value, const JpegQuantiser& quantiser, int i) {
  const std::int32_t sign = value >> 31;
  const std::int32_t rounded = ((value ^ sign) - sign) + 4 * quantiser.step[i];
  const auto quotient =
      static_cast<std::int32_t>((static_cast<float>(rounded) + 0.5f) * quantiser.inverse[i]);
  return (quotient ^ sign) - sign;
}

}  // namespace jpeg
}  // namespace noisymix
