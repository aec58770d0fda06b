// Resizing with a triangle filter, as imaging libraries do it for bytes: bilinear interpolation when growing,
// means of all pixels under the widened triangle when shrinking.
#pragma once

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// A part of an image in whole pixels.
struct PixelBox {
  int top = 0, left = 0, height = 0, width = 0;
  bool operator==(const PixelBox&) const = default;
};

/// The box alone, resized to height x width, byte for byte Pillow's crop and BILINEAR resize: first along
/// rows, then along columns, with weights in 22-bit fixed point and bytes in between; an axis that keeps its
/// size is copied. Pixels outside the box count for nothing. `out` is another object than `image` and keeps
/// its memory. Throws ShapeError unless the box lies inside, all sides are positive and there are 1 or 3
/// channels.
void bilinear_resize(const Image& image, const PixelBox& box, int height, int width, Scratch& scratch,
                     Image& out);

}  // namespace noisymix
