// Corruption "fog": a plasma fractal of density over the image, brightness kept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

struct FogConstants {
  double thickness;  ///< of the plasma, in units of the largest brightness
  double decay;      ///< of the plasma's amplitude; smaller is rougher
};
inline constexpr BySeverity<FogConstants> kFogCifar{{.2, 3}, {.5, 3}, {.75, 2.5}, {1, 2}, {1.5, 1.75}};
inline constexpr BySeverity<FogConstants> kFogTinyImagenet{{.4, 3}, {.7, 3}, {1, 2.5}, {1.5, 2}, {2, 1.75}};
inline constexpr BySeverity<FogConstants> kFogImagenet{{1.5, 2}, {2, 2}, {2.5, 1.7}, {2.5, 1.5}, {3, 1.4}};
/// `severity` 1..5.
FogConstants fog_constants(ParameterSet set, int severity);

/// Side of the plasma grid, whose upper left corner covers the image: 32, 64 or 256 by the set, as in the
/// benchmark, or the next power of two that covers the longer side of a larger image.
int fog_grid_side(ParameterSet set, int height, int width);

/// Amounts of the plasma (augment/filters/plasma.h): fills plasma_amounts(grid_side) values.
void draw_fog(Key key, int grid_side, const FogConstants& constants, std::span<float> amounts);

/// clip((x + thickness plasma) m / (m + thickness)) for bytes x and their largest m in the unit range, times
/// 255, in the layout of the image; in double, in the benchmark's order of operations.
void fog_values(const Image& image, std::span<const double> amounts, int grid_side,
                const FogConstants& constants, Scratch& scratch, double* values);
/// The same in float, cut off to bytes. Of all bytes at most one in 10^4 lies so near a whole number that it
/// differs by one from the double result.
void fog(const Image& image, std::span<const float> amounts, int grid_side, const FogConstants& constants,
         Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_fog(ParameterSet set, int severity);

}  // namespace noisymix
