// Corruption "snow": flakes that streak across a whitened image, once as drawn and once upside down.
#pragma once

#include <memory>
#include <span>

#include "augment/corruptions/corruption.h"

namespace noisymix {

/// Of the layer: mean and standard deviation, enlargement, the value below which there is no flake, and its
/// motion blur. `mix` is the share of the image in the whitened image.
struct SnowRow {
  double loc, scale, zoom, threshold, radius, sigma, mix;
};
/// By parameter set.
inline constexpr BySeverity<SnowRow> kSnow[] = {
    {{.1, .2, 1, .6, 8, 3, .95},
     {.1, .2, 1, .5, 10, 4, .9},
     {.15, .3, 1.75, .55, 10, 4, .9},
     {.25, .3, 2.25, .6, 12, 6, .85},
     {.3, .3, 1.25, .65, 14, 12, .8}},
    {{.1, .2, 1, .6, 8, 3, .8},
     {.1, .2, 1, .5, 10, 4, .8},
     {.15, .3, 1.75, .55, 10, 4, .7},
     {.25, .3, 2.25, .6, 12, 6, .65},
     {.3, .3, 1.25, .65, 14, 12, .6}},
    {{.1, .3, 3, .5, 10, 4, .8},
     {.2, .3, 2, .5, 12, 4, .7},
     {.55, .3, 4, .9, 12, 8, .7},
     {.55, .3, 4.5, .85, 12, 8, .65},
     {.55, .3, 2.5, .85, 12, 12, .55}},
};

/// What is random.
struct SnowDraws {
  std::span<const double> layer;  ///< height x width, normal of mean `loc` and standard deviation `scale`
  double degrees = 0;             ///< of the motion, uniform in [-135, -45)
};
/// The layer lies in `scratch`.
SnowDraws draw_snow(Key key, int height, int width, const SnowRow& row, Scratch& scratch);

/// A colour's grey value, in single precision.
float snow_grey(float red, float green, float blue);

/// Enlarges the layer (clipped_zoom), drops what is below the threshold, truncates to bytes and blurs them
/// (motion_filter); adds this and its half turn to mix x + (1 - mix) max(x, 1.5 grey(x) + 0.5), in single
/// precision up to the sum. `values` receives 0 .. 255 before truncation, in the layout of the image.
void snow(const Image& image, const SnowDraws& draws, const SnowRow& row, Scratch& scratch, double* values);
/// The same, truncated to bytes.
void snow(const Image& image, const SnowDraws& draws, const SnowRow& row, Scratch& scratch, Image& out);

/// Throws ConfigError unless 1 <= severity <= 5.
std::unique_ptr<Corruption> make_snow(ParameterSet set, int severity);

}  // namespace noisymix
