// Tables that replace every byte of an image by a function of itself, one per channel.
#pragma once

#include <array>

#include "augment/image.h"

namespace noisymix {

/// The values of the channels side by side: entry 4 v + c replaces value v of channel c, entry 4 v + 3 is
/// unused. All channels of a value can so be computed at once.
using ByteTables = std::array<std::uint8_t, 4 * 256>;

/// Makes the entries of a channel return their value.
void set_identity(ByteTables& tables, std::size_t channel);

/// `out` takes the shape of `image`.
void apply_tables(const Image& image, Image& out, const ByteTables& tables);

}  // namespace noisymix
