// Applies byte tables: one look-up after the other, or 64 at a time where the processor can keep a whole
// table in registers (AVX-512 VBMI permutes bytes).
#include "augment/byte_tables.h"

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace noisymix {
namespace {

void apply_one_by_one(std::uint8_t* NM_RESTRICT to, const std::uint8_t* NM_RESTRICT from, std::size_t n,
                      std::size_t channels, const std::uint8_t* NM_RESTRICT tables) {
  if (channels == 1) {
    for (std::size_t i = 0; i < n; ++i) to[i] = tables[4 * std::size_t{from[i]}];
    return;
  }
  for (std::size_t i = 0; i < n; i += 3)
    for (std::size_t c = 0; c < 3; ++c) to[i + c] = tables[4 * std::size_t{from[i + c]} + c];
}

#if defined(__x86_64__)
#define NM_TARGET_VBMI __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx512vbmi")))

/// The 256 entries of one channel.
struct Registers {
  __m512i part[4];
};

NM_TARGET_VBMI inline Registers load_channel(const std::uint8_t* tables, std::size_t channel) {
  alignas(64) std::uint8_t every_fourth[64];
  for (std::size_t k = 0; k < 64; ++k) every_fourth[k] = static_cast<std::uint8_t>(4 * (k % 32) + channel);
  const __m512i places = _mm512_load_si512(every_fourth);
  Registers table;
  for (std::size_t p = 0; p < 4; ++p) {
    const std::uint8_t* from = tables + 256 * p;
    const __m512i a = _mm512_loadu_si512(from), b = _mm512_loadu_si512(from + 64);
    const __m512i c = _mm512_loadu_si512(from + 128), d = _mm512_loadu_si512(from + 192);
    const __m512i low = _mm512_permutex2var_epi8(a, places, b), high = _mm512_permutex2var_epi8(c, places, d);
    table.part[p] = _mm512_mask_blend_epi64(0xF0, low, high);  // both hold their 32 entries twice
  }
  return table;
}

NM_TARGET_VBMI inline __m512i look_up(const Registers& table, __m512i bytes) {
  const __m512i dark = _mm512_permutex2var_epi8(table.part[0], bytes, table.part[1]);
  const __m512i bright = _mm512_permutex2var_epi8(table.part[2], bytes, table.part[3]);
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), dark, bright);
}

NM_TARGET_VBMI inline __mmask64 first_bytes(std::size_t n) {
  return n >= 64 ? ~__mmask64{0} : (__mmask64{1} << n) - 1;
}

NM_TARGET_VBMI void apply_grey_vbmi(std::uint8_t* to, const std::uint8_t* from, std::size_t n,
                                    const std::uint8_t* tables) {
  const Registers table = load_channel(tables, 0);
  for (std::size_t i = 0; i < n; i += 64) {
    const __mmask64 rest = first_bytes(n - i);
    _mm512_mask_storeu_epi8(to + i, rest, look_up(table, _mm512_maskz_loadu_epi8(rest, from + i)));
  }
}

NM_TARGET_VBMI void apply_rgb_vbmi(std::uint8_t* to, const std::uint8_t* from, std::size_t n,
                                   const std::uint8_t* tables) {
  const Registers red = load_channel(tables, 0), green = load_channel(tables, 1),
                  blue = load_channel(tables, 2);
  // Bytes 1, 4, 7, ... and 2, 5, 8, ...: 64 is one more than a multiple of three, so that the channels move
  // on by one place from block to block.
  __mmask64 is_green = 0x2492492492492492u, is_blue = 0x4924924924924924u;
  for (std::size_t i = 0; i < n; i += 64) {
    const __mmask64 rest = first_bytes(n - i);
    const __m512i bytes = _mm512_maskz_loadu_epi8(rest, from + i);
    __m512i result = look_up(red, bytes);
    result = _mm512_mask_blend_epi8(is_green, result, look_up(green, bytes));
    result = _mm512_mask_blend_epi8(is_blue, result, look_up(blue, bytes));
    _mm512_mask_storeu_epi8(to + i, rest, result);
    const __mmask64 is_red = ~(is_green | is_blue);
    is_blue = is_green;
    is_green = is_red;
  }
}

bool has_vbmi() {
  static const bool has = __builtin_cpu_supports("avx512vbmi") != 0;
  return has && cpu::active_isa() >= cpu::Isa::avx512;
}
#endif

}  // namespace

void set_identity(ByteTables& tables, std::size_t channel) {
  for (std::size_t v = 0; v < 256; ++v) tables[4 * v + channel] = static_cast<std::uint8_t>(v);
}

void apply_tables(const Image& image, Image& out, const ByteTables& tables) {
  set_shape_like(out, image);
  const std::size_t n = image.pixels.size();
#if defined(__x86_64__)
  if (has_vbmi()) {
    const auto apply = image.channels == 1 ? apply_grey_vbmi : apply_rgb_vbmi;
    return apply(out.pixels.data(), image.pixels.data(), n, tables.data());
  }
#endif
  apply_one_by_one(out.pixels.data(), image.pixels.data(), n, static_cast<std::size_t>(image.channels),
                   tables.data());
}

}  // namespace noisymix
