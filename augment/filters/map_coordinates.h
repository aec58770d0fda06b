// Sampling an image at displaced positions.
#pragma once

namespace noisymix {

/// out(y, x) = in(y + dy, x + dx), linear along both axes; beyond the edge the image is reflected, the edge
/// repeated (dcba|abcd|dcba). `in` and `out` hold height x width x 4 values (see quad_pixels.h) and must
/// differ, `dx` and `dy` height x width. Fractions of a pixel keep the displacement's precision, wherever the
/// pixel is. Throws ConfigError for displacements that are not finite or exceed 2^20 pixels.
void map_coordinates(const float* in, const float* dx, const float* dy, float* out, int height, int width);

}  // namespace noisymix
