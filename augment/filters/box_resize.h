// Resizing by area, as imaging libraries do it for bytes: means of the pixels whose centres a target pixel
// covers.
#pragma once

#include <cstdint>

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// Resizes in_height x in_width pixels of 1 or 3 channels to out_height x out_width: first along rows, then
/// along columns, with weights in 22-bit fixed point and bytes in between. An axis that keeps its size is
/// left alone; one that grows repeats pixels. The arrays must not overlap.
void box_resize(const std::uint8_t* in, int in_height, int in_width, int channels, std::uint8_t* out,
                int out_height, int out_width, Scratch& scratch);
/// The same for images: `out` becomes height x width. Throws ConfigError unless all sides are positive.
void box_resize(const Image& image, int height, int width, Scratch& scratch, Image& out);

}  // namespace noisymix
