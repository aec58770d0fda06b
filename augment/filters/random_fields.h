// Arrays of random numbers, the same bits with every instruction set.
#pragma once

#include <cstdint>
#include <span>

#include "engine/key.h"

namespace noisymix {

/// Standard normal draws. Pure in the key: a longer array begins with the shorter one.
void fill_normal(Key key, std::span<float> out);
/// Uniform draws in [0, 1), multiples of 2^-24. A longer array begins with the shorter one.
void fill_uniform(Key key, std::span<float> out);
/// Uniform 32-bit words; the upper 24 bits of word i are draw i of fill_uniform().
void fill_words(Key key, std::span<std::uint32_t> out);

}  // namespace noisymix
