// Distance of every pixel from the nearest marked one.
#pragma once

#include <cstdint>

#include "augment/scratch.h"

namespace noisymix {

/// Distances are counted in 1 / 65536 of a pixel: weights and sums are whole numbers, so that no order of
/// additions matters. They are exact as float32 below 256 pixels.
inline constexpr std::int32_t kDistanceOne = 65536;
/// A distance where nothing is marked.
inline constexpr std::int32_t kDistanceFar = 1 << 30;

/// Chamfer distance over a 5 x 5 mask: steps to the side cost 1, diagonal ones 1.4, a knight's move 2.1969.
/// `marked` and `out`: height x width; pixels with a `marked` value other than zero have distance zero.
void distance_transform(const std::uint8_t* marked, int height, int width, std::int32_t* out,
                        Scratch& scratch);

}  // namespace noisymix
