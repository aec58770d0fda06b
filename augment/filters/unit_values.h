// Bytes as numbers of 0..1, and back.
#pragma once

#include <cstddef>
#include <cstdint>

#include "augment/image.h"

namespace noisymix {

/// Byte / 255 for every byte.
const double* unit_table();
/// The byte itself.
const double* grey_level_table();

/// out[i] = table[bytes[i]].
void look_up(const std::uint8_t* bytes, std::size_t count, const double* table, double* out);

/// Clips to 0..1 and multiplies by 255.
void to_grey_levels(double* values, std::size_t count);

/// Cuts off what follows the point; values lie in 0..255.
void truncate_to_bytes(const double* values, std::size_t count, std::uint8_t* out);

/// Gives `out` the shape of `image`, whatever pixels it has.
void shape_like(const Image& image, Image& out);

}  // namespace noisymix
