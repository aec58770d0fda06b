// The rounds of Philox 4x32-10 for loops that make many blocks at once; Key::block is the definition.
#pragma once

#include <cstdint>

#include "engine/host_device.h"

namespace noisymix {

/// Words of block `low + 2^32 * high` of a key. Inlined, so that a loop over `low` becomes vector code.
NM_HOST_DEVICE inline __attribute__((always_inline)) void philox_block(std::uint64_t key, std::uint32_t low,
                                                        std::uint32_t high, std::uint32_t& w0,
                                                        std::uint32_t& w1, std::uint32_t& w2,
                                                        std::uint32_t& w3) {
  std::uint32_t c0 = low, c1 = high, c2 = 0, c3 = 0;
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
#ifdef __CUDA_ARCH__
#pragma unroll
#elif !defined(__CUDACC__)
#pragma GCC unroll 10
#endif
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c0, p1 = std::uint64_t{0xCD9E8D57u} * c2;
    c0 = static_cast<std::uint32_t>(p1 >> 32) ^ c1 ^ k0;
    c1 = static_cast<std::uint32_t>(p1);
    c2 = static_cast<std::uint32_t>(p0 >> 32) ^ c3 ^ k1;
    c3 = static_cast<std::uint32_t>(p0);
    k0 += 0x9E3779B9u;
    k1 += 0xBB67AE85u;
  }
  w0 = c0, w1 = c1, w2 = c2, w3 = c3;
}

}  // namespace noisymix
