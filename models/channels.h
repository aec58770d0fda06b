// Channel counts of networks whose width can be chosen.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace noisymix {

/// `channels` times `width`, rounded, at least 1.
inline std::int64_t scaled_channels(std::int64_t channels, double width) {
  return std::max<std::int64_t>(1, std::llround(static_cast<double>(channels) * width));
}

}  // namespace noisymix
