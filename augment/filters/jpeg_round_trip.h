// What a JPEG file does to an image, without the file.
#pragma once

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// The pixels of a baseline JPEG file of `image` at `quality` 1 .. 100: standard tables, colours at half
/// resolution, integer transforms. The same bytes as libjpeg writes and reads. Any size, grey or RGB. `out`
/// takes the shape of `image`. Throws ConfigError for another quality.
void jpeg_round_trip(const Image& image, int quality, Scratch& scratch, Image& out);

}  // namespace noisymix
