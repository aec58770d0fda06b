// Changing the size of 8-bit images.
#pragma once

#include "augment/image.h"

namespace noisymix {

/// Bilinear with antialiasing: when shrinking, the triangle filter spans all source pixels under it. Rows and
/// columns are weighted in double and rounded once.
Image resize_image(const Image& image, int height, int width);

/// Shorter side to `side`, the other one in proportion.
Image resize_shorter_side(const Image& image, int side);

/// The middle side x side square; both sides of the image must be that large.
Image crop_middle(const Image& image, int side);

/// Shorter side to `side`, then the middle side x side square: the usual evaluation crop without distortion.
Image resize_and_crop(const Image& image, int side);

}  // namespace noisymix
