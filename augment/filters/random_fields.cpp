#include "augment/filters/random_fields.h"

#include <algorithm>
#include <cstddef>

#include "engine/cpu/vectorise.h"
#include "engine/ops/mix_noise_math.h"
#include "engine/philox.h"

namespace noisymix {
namespace {

// Values are made tile by tile, so that neighbours in an array come from neighbouring blocks and all stores
// are whole vectors: value 64 q + j of tile t is made from word q of block 64 t + j. Box-Muller takes words
// (0, 1) and (2, 3) and puts its pair where the words were.
constexpr std::uint32_t kBlocks = 64;
constexpr std::size_t kTile = 4 * kBlocks;

/// The words of a tile, in the order of the array.
inline __attribute__((always_inline)) void tile_words(std::uint64_t key, std::uint64_t tile,
                                                      std::uint32_t* NM_RESTRICT words) {
  const std::uint64_t first = tile * kBlocks;
  const auto low = static_cast<std::uint32_t>(first), high = static_cast<std::uint32_t>(first >> 32);
  for (std::uint32_t j = 0; j < kBlocks; ++j)
    philox_block(key, low + j, high, words[j], words[kBlocks + j], words[2 * kBlocks + j],
                 words[3 * kBlocks + j]);
}

NM_VECTORISED(word_tiles, (std::uint64_t key, std::uint64_t first, std::size_t tiles, std::uint32_t* out),
              (key, first, tiles, out)) {
  for (std::size_t t = 0; t < tiles; ++t) tile_words(key, first + t, out + t * kTile);
}

NM_VECTORISED(uniform_tiles, (std::uint64_t key, std::uint64_t first, std::size_t tiles, float* out),
              (key, first, tiles, out)) {
  alignas(64) std::uint32_t words[kTile];
  for (std::size_t t = 0; t < tiles; ++t) {
    tile_words(key, first + t, words);
    float* NM_RESTRICT to = out + t * kTile;
    for (std::size_t i = 0; i < kTile; ++i)
      to[i] = static_cast<float>(static_cast<std::int32_t>(words[i] >> 8)) * 0x1p-24f;
  }
}

NM_VECTORISED(normal_tiles, (std::uint64_t key, std::uint64_t first, std::size_t tiles, float* out),
              (key, first, tiles, out)) {
  alignas(64) std::uint32_t words[kTile];
  for (std::size_t t = 0; t < tiles; ++t) {
    tile_words(key, first + t, words);
    for (std::size_t half = 0; half < kTile; half += kTile / 2) {
      const std::uint32_t* NM_RESTRICT radius = words + half;
      const std::uint32_t* NM_RESTRICT angle = radius + kBlocks;
      float* NM_RESTRICT to = out + t * kTile + half;
      for (std::size_t j = 0; j < kBlocks; ++j)
        noise::normal_pair(radius[j], angle[j], to[j], to[kBlocks + j]);
    }
  }
}

/// Whole tiles go where they belong, the last part by way of a tile of its own.
template <class T>
void fill(void (*tiles)(std::uint64_t, std::uint64_t, std::size_t, T*), Key key, std::span<T> out) {
  const std::size_t whole = out.size() / kTile, rest = out.size() % kTile;
  tiles(key.words(), 0, whole, out.data());
  if (rest == 0) return;
  alignas(64) T last[kTile];
  tiles(key.words(), whole, 1, last);
  std::copy_n(last, rest, out.data() + whole * kTile);
}

}  // namespace

void fill_normal(Key key, std::span<float> out) {
  fill(normal_tiles, key, out);
}

void fill_uniform(Key key, std::span<float> out) {
  fill(uniform_tiles, key, out);
}

void fill_words(Key key, std::span<std::uint32_t> out) {
  fill(word_tiles, key, out);
}

}  // namespace noisymix
