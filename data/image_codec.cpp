#include "data/image_codec.h"

#include <algorithm>
#include <iterator>

#include "engine/error.h"
#include "engine/io/atomic_file.h"

namespace noisymix {
namespace {

constexpr std::uint8_t kPngMagic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
constexpr std::uint8_t kJpegMagic[] = {0xFF, 0xD8, 0xFF};

template <std::size_t N>
bool begins_with(ByteView bytes, const std::uint8_t (&magic)[N]) {
  return bytes.size() >= N && std::equal(std::begin(magic), std::end(magic), bytes.begin());
}

}  // namespace

bool is_png(ByteView bytes) {
  return begins_with(bytes, kPngMagic);
}
bool is_jpeg(ByteView bytes) {
  return begins_with(bytes, kJpegMagic);
}

void check_image_size(const std::string& name, std::int64_t height, std::int64_t width) {
  NM_CHECK_AS(DataError, height >= 1 && width >= 1, name, ": the image is ", height, "x", width,
              ", expected pixels");
  NM_CHECK_AS(
      DataError,
      height <= kLargestImageSide && width <= kLargestImageSide && height * width <= kLargestImagePixels,
      name, ": the image is ", height, "x", width, ", more than the ", kLargestImageSide, " a side and ",
      kLargestImagePixels, " pixels this reader takes");
}

Image decode_image(const std::string& name, ByteView bytes) {
  if (is_png(bytes)) return decode_png(name, bytes);
  if (is_jpeg(bytes)) return decode_jpeg(name, bytes);
  fail<DataError>(name, ": neither PNG nor JPEG, convert it to one of them");
}

Image decode_image_at_least(const std::string& name, ByteView bytes, int shorter_side) {
  if (is_jpeg(bytes)) return decode_jpeg_at_least(name, bytes, shorter_side);
  return decode_image(name, bytes);
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(path.string(), read_file_bytes(path));
}

void write_png(const std::filesystem::path& path, const Image& image) {
  const Bytes bytes = encode_png(image);
  write_file_atomically(path, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

std::string image_libraries() {
#ifdef NOISYMIX_HAVE_PNG
  const std::string png = "libpng";
#else
  const std::string png = "stb";
#endif
#ifdef NOISYMIX_HAVE_JPEG
  return png + ", libjpeg";
#else
  return png + ", stb";
#endif
}

Image to_rgb(const Image& image) {
  if (image.channels == 3) return image;
  Image rgb(image.height, image.width, 3);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    std::fill_n(rgb.pixels.data() + 3 * i, 3, image.pixels[i]);
  return rgb;
}

}  // namespace noisymix
