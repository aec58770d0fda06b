// The fast affine map of RGB images: integer coordinates, gathered pixels, and a list of doubtful results.
#pragma once

#include "augment/image_ops.h"

namespace noisymix {

/// Whether bilinear_rgb() can run: at least one pixel, three channels, and coordinates that stay inside the
/// range of its integers.
bool is_bilinear_rgb(const Image& image, const AffineMatrix& matrix);

/// affine() for images and matrices that pass is_bilinear_rgb(); `out` has the shape of `image`.
void bilinear_rgb(const Image& image, Image& out, const AffineMatrix& matrix);

}  // namespace noisymix
