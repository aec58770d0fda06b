// Fine textures of the built-in shapes: functions of the place with values in [-1, 1].
#pragma once

#include "engine/key.h"

namespace noisymix {

constexpr int kTextures = 10;

/// Stripes, checks, dots, rings, waves, grid, grain, patches, spokes, bricks: which of the ten, how wide a
/// period is in pixels, how it is turned and shifted.
struct Texture {
  int which = 0;
  double period = 4;
  double cosine = 1, sine = 0;      ///< of its angle
  double shift_x = 0, shift_y = 0;  ///< in pixels
  Key grain;                        ///< of the random textures' lattice
};

/// Draws everything but the kind.
Texture draw_texture(int which, double shortest_period, double longest_period, Key key);

/// Value at pixel (x, y). Smooth on the scale of a pixel, so that one sample per pixel does not alias.
double texture_value(const Texture& texture, double x, double y);

}  // namespace noisymix
