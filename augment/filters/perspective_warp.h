// An image seen in perspective.
#pragma once

#include <array>

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// Moves pixel (x, y) to (u / w, v / w), where (u, v, w) is the row-major matrix times (x, y, 1), and black
/// to where no pixel comes from. Indices count pixel centres. As OpenCV does for bytes: source coordinates
/// are rounded to 1/32 pixel, ties to even; bilinear weights are exact; the result is rounded. `out` takes
/// the shape of `image` and must be another object. Throws ShapeError for a singular matrix.
void perspective_warp(const Image& image, const std::array<double, 9>& matrix, Scratch& scratch, Image& out);

}  // namespace noisymix
