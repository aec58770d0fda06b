// The portable tile kernels, and the choice between the tables.
#include "engine/cpu/tile_kernels.h"

#include <bit>
#include <cstring>

#include "engine/cpu/cpu_features.h"

namespace noisymix::cpu {
namespace {

/// Four floats in the compilers' own vector type, as in micro_kernels.cpp.
struct Vector {
  typedef float type __attribute__((vector_size(16)));
  typedef std::uint32_t words __attribute__((vector_size(16)));
  typedef float unaligned __attribute__((vector_size(16), aligned(4), may_alias));
  static constexpr int lanes = 4, rows = 4;
  static type load(const float* p) { return *reinterpret_cast<const unaligned*>(p); }
  static void store(float* p, type v) { *reinterpret_cast<unaligned*>(p) = v; }
  static type zero() { return type{}; }
  static words load_words(const std::uint16_t* p) {
    words v;
    std::memcpy(&v, p, sizeof v);
    return v;
  }
  static words broadcast_word(const std::uint16_t* p) {
    std::uint32_t w = 0;
    std::memcpy(&w, p, sizeof w);
    return words{w, w, w, w};
  }
  static type low(words v) { return std::bit_cast<type>(v << 16); }
  static type high(words v) { return std::bit_cast<type>(v & 0xFFFF0000u); }
  static type multiply_add_pairs(words a, words b, type sum) {
    return (sum + low(a) * low(b)) + high(a) * high(b);
  }
};
static_assert(std::endian::native == std::endian::little, "the even number of a pair is the low half");

}  // namespace
}  // namespace noisymix::cpu

#include "engine/cpu/tile_kernels_impl.h"

namespace noisymix::cpu {

constexpr TileKernels kTable = make_tile_table(transpose_plain, join_plain, round_rows_plain);
const TileKernels kPortableTiles = kTable;

const TileKernels& tile_kernels() {
#if defined(__x86_64__)
  switch (active_isa()) {
    case Isa::amx:
      return kAmxTiles;
    case Isa::avx512_bf16:
      return kAvx512Bf16Tiles;
    case Isa::avx512:
      return kAvx512Tiles;
    case Isa::avx2:
      return kAvx2Tiles;
    case Isa::portable:
      break;
  }
#endif
  return kPortableTiles;
}

}  // namespace noisymix::cpu
