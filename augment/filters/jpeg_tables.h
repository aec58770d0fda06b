// Tables of baseline JPEG (ITU-T T.81, annex K): quantisation, Huffman codes, the zigzag.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace noisymix {

/// Block positions (8 v + u) in the order of a file.
extern const std::array<std::uint8_t, 64> kJpegZigzag;

/// Quantisation steps of luma (plane 0) or chroma for quality 1 .. 100, at position 8 v + u.
std::array<std::uint8_t, 64> jpeg_steps(int plane, int quality);

/// A Huffman table as a file states it: how many codes of each length 1 .. 16, and their symbols.
struct JpegHuffman {
  std::array<std::uint8_t, 16> counts;
  std::span<const std::uint8_t> symbols;
};
/// The standard's typical tables of luma (plane 0) or chroma.
JpegHuffman jpeg_dc_codes(int plane);
JpegHuffman jpeg_ac_codes(int plane);

}  // namespace noisymix
