// Corruption "glass_blur": pixels change places with near ones, between two light blurs.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// The blurs' standard deviation and the largest shift in pixels, and the number of sweeps.
struct GlassRow {
  double sigma;
  int delta, iterations;
};
/// By parameter set.
inline constexpr BySeverity<GlassRow> kGlassBlur[] = {
    {{.05, 1, 1}, {.25, 1, 1}, {.4, 1, 1}, {.25, 1, 2}, {.4, 1, 2}},
    {{.1, 1, 1}, {.5, 1, 1}, {.6, 1, 2}, {.7, 2, 1}, {.9, 2, 2}},
    {{.7, 1, 2}, {.9, 2, 1}, {1, 2, 3}, {1.1, 3, 2}, {1.5, 4, 2}},
};

/// Calls of glass blur's generator: one per sweep and pixel that is visited, each for a dx and a dy.
std::size_t glass_calls(int height, int width, const GlassRow& row);

/// dx, dy of every call in call order, integers from -delta to delta - 1. In `scratch`.
std::span<const std::int8_t> draw_glass(Key key, int height, int width, const GlassRow& row,
                                        Scratch& scratch);

/// Blurs (as gaussian_blur does) and truncates; visits rows, then columns, from side - delta down to
/// delta + 1, at (y, x) taking the pixel of (y + dy, x + dx); blurs again. `swap` gives the other pixel this
/// one's value, as the corruption is described; the published code leaves it as it is. `values` receives
/// 0 .. 255 before truncation, in the layout of the image.
void glass_blur(const Image& image, std::span<const std::int8_t> shifts, const GlassRow& row, bool swap,
                Scratch& scratch, double* values);
/// The same, truncated to bytes.
void glass_blur(const Image& image, std::span<const std::int8_t> shifts, const GlassRow& row, bool swap,
                Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_glass_blur(ParameterSet set, int severity, bool swap = false);

}  // namespace noisymix
