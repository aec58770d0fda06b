// The planes of a JPEG file at 4:2:0: brightness at full, two colours at half resolution, in whole blocks.
#pragma once

#include <cstdint>

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// Samples of one plane. Rows and columns from height x width up to whole blocks repeat the edge.
struct JpegPlane {
  std::uint8_t* samples = nullptr;
  int height = 0, width = 0;             ///< samples that belong to the image
  int blocks_high = 0, blocks_wide = 0;  ///< of 8 x 8, enough to cover them
  int stride = 0;                        ///< bytes from row to row; 8 blocks_wide or more
};

/// One plane of a grey image, or Y, Cb, Cr.
struct JpegPlanes {
  int count = 0;
  JpegPlane plane[3];
};

/// Planes for an image, in memory of `scratch`: valid until the caller's frame ends.
JpegPlanes take_jpeg_planes(int height, int width, int channels, Scratch& scratch);
/// Y = 0.299 R + 0.587 G + 0.114 B and so on in 16-bit fixed point; colours are means of 2 x 2, rounded down
/// and up in turn, so that no bias arises. Blocks are filled with the edge's samples.
void split_jpeg_planes(const Image& image, const JpegPlanes& planes, Scratch& scratch);
/// Back to bytes; colours are interpolated with 3/4 and 1/4 along both axes. `out` has the image's shape.
void join_jpeg_planes(const JpegPlanes& planes, Scratch& scratch, Image& out);

}  // namespace noisymix
