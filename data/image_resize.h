// Changing the size of 8-bit images, and the test transform of the papers: resize, then centre crop.
#pragma once

#include "augment/image.h"

namespace noisymix {

/// Bilinear with antialiasing, byte for byte Pillow's BILINEAR (augment/filters/bilinear_resize.h).
Image resize_image(const Image& image, int height, int width);

/// Shorter side to `side`, the other in proportion, its fraction dropped.
Image resize_shorter_side(const Image& image, int side);

/// The middle height x width; an odd margin is split half to even, as the reference libraries do. Throws
/// ShapeError when the image is smaller.
Image centre_crop(const Image& image, int height, int width);

/// Shorter side to `side`, then the middle side x side square: the usual evaluation crop without distortion.
Image resize_and_crop(const Image& image, int side);

}  // namespace noisymix
