// Baseline JPEG files, byte for byte those of libjpeg with its default settings.
#pragma once

#include <cstdint>
#include <vector>

#include "augment/image.h"
#include "augment/scratch.h"

namespace noisymix {

/// The file of a grey or RGB image at quality 1 .. 100: JFIF 1.01, colours at half resolution (4:2:0),
/// standard quantisation and Huffman tables, one scan. Decoded, it has the pixels of jpeg_round_trip().
/// Throws ConfigError for another quality or sides above 65535.
std::vector<std::uint8_t> jpeg_file(const Image& image, int quality, Scratch& scratch);

}  // namespace noisymix
