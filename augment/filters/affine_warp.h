// Affine maps of float images with the coordinates of a widely used vision library: multiples of 1/32 pixel.
#pragma once

#include "augment/filters/gaussian_filter.h"
#include "augment/scratch.h"

namespace noisymix {

/// (x, y) goes to (m[0] x + m[1] y + m[2], m[3] x + m[4] y + m[5]); pixel centres are whole numbers.
struct AffineMap {
  double m[6];
};

/// The map that takes three points (x, y), not on one line, to three others. Throws ConfigError for points on
/// a line.
AffineMap affine_through(const float (&from)[3][2], const float (&to)[3][2]);

/// Moves the pixel at (x, y) to map(x, y): every pixel of `out` is interpolated at its source, rounded to
/// 1/32 pixel along both axes, linearly with weights that are exact in float. `in` and `out` hold height x
/// width x 4 values (see quad_pixels.h) and must differ. Sources farther than 16384 pixels away, and maps
/// that cannot be inverted, give some pixel of the image.
void affine_warp(const float* in, float* out, int height, int width, const AffineMap& map, Border border,
                 Scratch& scratch);

}  // namespace noisymix
