// Blocks of sixteen output pixels of an affine map: what the plain and the AVX-512 version of bilinear_rgb()
// share.
#pragma once

#include <array>
#include <cstdint>

namespace noisymix {

inline constexpr int kLanes = 16;  // output pixels of a block
inline constexpr int kFractionBits =
    25;  // of a coordinate relative to the block's first pixel, which stays within +-64
inline constexpr std::int32_t kHalf = 1 << (kFractionBits - 1);

using Lanes = std::array<std::int32_t, kLanes>;

/// The upper left neighbour of a block's first pixel: whole coordinates and their fractions.
struct Start {
  std::int32_t column, row;
  std::int32_t column_part, row_part;
};

/// The source, with its border pixels repeated once on every side, and how far lane k lies from lane 0.
struct Source {
  const std::uint32_t* words;
  std::int32_t stride, width, height;
  Lanes column_steps, row_steps;
};

// Errors, in grey levels: two units of either coordinate's last bit times 255, 3.0e-5; the rounding of the
// weights to f32, 1.5e-5; five roundings of numbers below 256, 3.9e-5. Together less than this:
inline constexpr float kGuard = 1.25e-4f;

#if defined(__x86_64__)
/// Samples `blocks` blocks of one row: writes their words, black outside, and for each block a bit per
/// doubtful pixel. Returns whether there is one. Needs AVX-512.
bool sample_row_avx512(std::uint32_t* words, std::uint32_t* doubts, const Source& source, const Start* starts,
                       std::size_t blocks);
#endif

}  // namespace noisymix
