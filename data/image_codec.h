// PNG and JPEG files to images and back. Pictures come from anywhere, so every size is checked before memory
// is taken.
#pragma once

#include <filesystem>
#include <string>

#include "augment/image.h"
#include "data/file_bytes.h"

namespace noisymix {

constexpr int kLargestImageSide = 16384;
constexpr std::int64_t kLargestImagePixels = std::int64_t{1} << 26;

/// Whether the bytes begin like a PNG or JPEG file.
bool is_png(ByteView bytes);
bool is_jpeg(ByteView bytes);

/// Decodes a PNG or JPEG in memory to 8-bit grey or RGB: palettes become RGB, 1-, 2- and 4-bit grey is scaled
/// up and 16 bits rounded down to 8, alpha is dropped, CMYK is converted, an EXIF orientation is not applied.
/// `name` stands for the file in messages. Throws DataError for anything damaged or truncated, even when a
/// part could be shown, and for sides above kLargestImageSide or more than kLargestImagePixels.
Image decode_image(const std::string& name, ByteView bytes);
Image read_image(const std::filesystem::path& path);

/// The same at a half, a quarter or an eighth of its size where the shorter side is still `shorter_side` or
/// more: a JPEG is then decoded from the lower frequencies of its blocks alone, several times faster. The
/// pixels are close to, but not those of the whole picture made smaller. Other formats, and builds with stb,
/// decode as always.
Image decode_image_at_least(const std::string& name, ByteView bytes, int shorter_side);

/// PNG of an 8-bit grey or RGB image.
Bytes encode_png(const Image& image);
void write_png(const std::filesystem::path& path, const Image& image);

/// The libraries of this build, for example "libpng, libjpeg" or "stb, stb". stb is more lenient with damaged
/// pictures and its JPEG pixels differ by a few levels.
std::string image_libraries();

/// Grey repeated three times; RGB as it is.
Image to_rgb(const Image& image);

// The decoders behind decode_image(), one per library; each is in a file of its own.
Image decode_png(const std::string& name, ByteView bytes);
Image decode_jpeg(const std::string& name, ByteView bytes);
Image decode_jpeg_at_least(const std::string& name, ByteView bytes, int shorter_side);

/// Throws DataError unless the sides and their product are within the limits.
void check_image_size(const std::string& name, std::int64_t height, std::int64_t width);

}  // namespace noisymix
