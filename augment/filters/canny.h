// Edges of a grey image.
#pragma once

#include <cstdint>

#include "augment/scratch.h"

namespace noisymix {

/// Canny edges without smoothing: 3 x 3 Sobel gradient (edge pixels repeated outside), strength |gx| + |gy|.
/// A pixel stronger than `low` is kept where it is the strongest across its edge (along the row, the column
/// or a diagonal, whichever is within 22.5 degrees of the gradient); of equal neighbours in a row or column
/// the first counts, of equal ones on a diagonal none. Kept pixels that are stronger than `high`, and kept
/// ones that touch an edge, are edges: 255 in `out`, else 0. Both height x width.
void canny_edges(const std::uint8_t* image, int height, int width, int low, int high, std::uint8_t* out,
                 Scratch& scratch);

}  // namespace noisymix
