// Arrays of random numbers, the same bits with every instruction set.
#pragma once

#include <span>

#include "engine/key.h"

namespace noisymix {

/// Standard normal draws. Pure in the key: a longer array begins with the shorter one.
void fill_normal(Key key, std::span<float> out);
/// Uniform draws in [0, 1), multiples of 2^-24.
void fill_uniform(Key key, std::span<float> out);

}  // namespace noisymix
