// Resizing without smoothing, as frost's pictures are made small.
#pragma once

#include "augment/image.h"

namespace noisymix {

/// Sides times `factor`, rounded to the nearest (halves to even), at least 1. Pixel centres correspond:
/// output position i lies at (i + 1/2) / factor - 1/2. Bilinear between the four nearest pixels, edge pixels
/// repeated outside, no smoothing before: a factor of 1/5 picks every fifth pixel. Results are rounded to the
/// nearest.
Image bilinear_scaled(const Image& image, double factor);

}  // namespace noisymix
