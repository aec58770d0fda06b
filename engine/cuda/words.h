// Kernels that only move elements see them as words of 1 to 16 bytes, whatever their dtype. For .cu files
// only.
#pragma once

#include "engine/cuda/launch.h"

namespace noisymix::cuda {

/// The largest power of two up to `most` that divides the addresses.
inline std::size_t common_word(std::size_t most) {
  return most;
}
template <typename... More>
std::size_t common_word(std::size_t most, const void* address, More... more) {
  while (reinterpret_cast<std::uintptr_t>(address) % most != 0) most /= 2;
  return common_word(most, more...);
}

/// Calls body.template operator()<Word>() with a type of 1, 2, 4, 8 or 16 bytes.
template <typename Body>
void dispatch_word(std::size_t bytes, Body&& body) {
  switch (bytes) {
    case 1:
      return body.template operator()<std::uint8_t>();
    case 2:
      return body.template operator()<std::uint16_t>();
    case 4:
      return body.template operator()<std::uint32_t>();
    case 8:
      return body.template operator()<std::uint64_t>();
    case 16:
      return body.template operator()<Pack<std::uint64_t, 2>>();
    default:
      fail<InternalError>("no word of ", bytes, " bytes");
  }
}

}  // namespace noisymix::cuda
