// Plasma fractal: fog's density, by repeated halving of a periodic grid.
#pragma once

#include <cstddef>
#include <span>

#include "augment/scratch.h"
#include "engine/key.h"

namespace noisymix {

/// The amplitude w of the first level; every further level has it divided by `decay`.
inline constexpr double kPlasmaAmplitude = 100;

/// How many random amounts a grid of that side takes.
constexpr std::size_t plasma_amounts(int side) {
  return static_cast<std::size_t>(side) * static_cast<std::size_t>(side) - 1;
}

/// What is added to the means: w U(-w, w), in the order in which plasma_fractal() uses them.
void draw_plasma(Key key, int side, double decay, std::span<float> amounts);

/// Starts from one cell with a zero at its corners. A level with n x n cells halves them: their centres are
/// the mean of four corners plus an amount (the first n x n of the level), then the middles of their upper
/// edges are the mean of two corners and two centres plus an amount (the next n x n), then the same for the
/// left edges; everything wraps around. The finished side x side grid is scaled to [0, 1]; a flat one is
/// zero. `side` is a power of two, at least 2. T: double as the benchmark, or float.
template <class T>
void plasma_fractal(std::span<const T> amounts, int side, T* out, Scratch& scratch);

}  // namespace noisymix
