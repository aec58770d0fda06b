// libjpeg's own files and pixels, to compare with; images that try every part of a codec.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "augment/image.h"
#include "tests/golden.h"
#ifdef NOISYMIX_HAVE_JPEG
#include <jpeglib.h>
#endif

namespace noisymix::testing {

inline constexpr int kCodecSizes[][2] = {{8, 8}, {17, 33}, {24, 40}, {16, 16}, {9, 31},  {10, 50}, {32, 32},
                                         {1, 1}, {3, 2},   {5, 4},   {7, 6},   {48, 18}, {33, 64}, {2, 19}};
inline constexpr int kImageKinds = 4;

/// Noise, black and white (the largest coefficients), a gradient with some noise, one colour.
inline Image codec_image(int height, int width, int channels, int kind, int number) {
  Image image(height, width, channels);
  const auto stream = static_cast<std::uint32_t>(number * 1000 + kind);
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    const std::uint32_t random = golden_hash32(stream, static_cast<std::uint32_t>(i));
    const auto pixel = static_cast<int>(i) / channels;
    const int slope = (3 * (pixel % width) + 2 * (pixel / width) + static_cast<int>(i) % channels * 40) % 256;
    const std::uint32_t values[kImageKinds] = {
        random >> 24, (random >> 31) * 255, static_cast<std::uint32_t>(slope / 2) + (random >> 28),
        golden_hash32(stream, static_cast<std::uint32_t>(static_cast<int>(i) % channels)) >> 24};
    image.pixels[i] = static_cast<std::uint8_t>(values[kind]);
  }
  return image;
}

#ifdef NOISYMIX_HAVE_JPEG
/// With libjpeg's default settings: 4:2:0, standard Huffman tables, accurate integer transform.
inline std::vector<std::uint8_t> libjpeg_encode(const Image& image, int quality) {
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_height = static_cast<JDIMENSION>(image.height);
  jpeg.image_width = static_cast<JDIMENSION>(image.width);
  jpeg.input_components = image.channels;
  jpeg.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  jpeg_set_quality(&jpeg, quality, TRUE);
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(image.row(static_cast<int>(jpeg.next_scanline)));
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  std::vector<std::uint8_t> file(bytes, bytes + size);
  std::free(bytes);
  jpeg_destroy_compress(&jpeg);
  return file;
}

inline Image libjpeg_decode(const std::vector<std::uint8_t>& file) {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_decompress(&jpeg);
  jpeg_mem_src(&jpeg, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_read_header(&jpeg, TRUE);
  jpeg_start_decompress(&jpeg);
  Image image(static_cast<int>(jpeg.output_height), static_cast<int>(jpeg.output_width),
              jpeg.output_components);
  while (jpeg.output_scanline < jpeg.output_height) {
    JSAMPROW row = image.row(static_cast<int>(jpeg.output_scanline));
    jpeg_read_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_decompress(&jpeg);
  jpeg_destroy_decompress(&jpeg);
  return image;
}
#endif

}  // namespace noisymix::testing
