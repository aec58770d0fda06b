// Changing the size of 8-bit images.
#pragma once

#include "augment/image.h"

namespace noisymix {

/// Bilinear with antialiasing: when shrinking, the triangle filter spans all source pixels under it. Rows and
/// columns are weighted in double and rounded once.
Image resize_image(const Image& image, int height, int width);

/// Shorter side to `side`, then the middle side x side square: the usual evaluation crop without distortion.
Image resize_and_crop(const Image& image, int side);

}  // namespace noisymix
