// PNG and JPEG through stb, for builds without libpng or libjpeg. It is more lenient: some damaged pictures
// decode.
#include <climits>
#include <cstdlib>
#include <memory>
#include <utility>

#ifdef __GNUC__
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#define STBI_NO_STDIO
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_MAX_DIMENSIONS 16384
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#include <stb_image.h>
#ifndef NOISYMIX_HAVE_PNG
#define STBI_WRITE_NO_STDIO
#define STB_IMAGE_WRITE_STATIC
#define STB_IMAGE_WRITE_IMPLEMENTATION
#include <stb_image_write.h>
#endif
#ifdef __GNUC__
#pragma GCC diagnostic pop
#endif

#include "data/image_codec.h"
#include "engine/error.h"

namespace noisymix {
namespace {

Image decode_stb(const std::string& name, ByteView bytes, const char* format) {
  NM_CHECK_AS(DataError, bytes.size() <= INT_MAX, name, ": larger than 2 GiB");
  const int length = static_cast<int>(bytes.size());
  int width = 0, height = 0, components = 0;
  NM_CHECK_AS(DataError, stbi_info_from_memory(bytes.data(), length, &width, &height, &components) == 1, name,
              ": not a valid ", format, ": ", printable(stbi_failure_reason()));
  check_image_size(name, height, width);
  const int channels = components <= 2 ? 1 : 3;
  // The wanted number of channels would turn alpha and colour into each other; it is dropped by hand instead.
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(bytes.data(), length, &width, &height, &components, 0), stbi_image_free);
  NM_CHECK_AS(DataError, pixels != nullptr, name, ": damaged ", format, ": ",
              printable(stbi_failure_reason()));
  Image image(height, width, channels);
  for (std::size_t i = 0, n = image.pixels.size() / static_cast<std::size_t>(channels); i < n; ++i)
    for (int c = 0; c < channels; ++c)
      image.pixels[i * static_cast<std::size_t>(channels) + static_cast<std::size_t>(c)] =
          pixels.get()[i * static_cast<std::size_t>(components) + static_cast<std::size_t>(c)];
  return image;
}

}  // namespace

#ifndef NOISYMIX_HAVE_JPEG
Image decode_jpeg(const std::string& name, ByteView bytes) {
  return decode_stb(name, bytes, "JPEG");
}

Image decode_jpeg_at_least(const std::string& name, ByteView bytes, int) {
  return decode_stb(name, bytes, "JPEG");
}
#endif

#ifndef NOISYMIX_HAVE_PNG
Image decode_png(const std::string& name, ByteView bytes) {
  return decode_stb(name, bytes, "PNG");
}

Bytes encode_png(const Image& image) {
  NM_CHECK((image.channels == 1 || image.channels == 3) && image.height >= 1 && image.width >= 1,
           "[png] cannot write an image of ", image.height, "x", image.width, "x", image.channels);
  Bytes bytes;
  const auto append = [](void* context, void* data, int size) {
    auto* from = static_cast<std::uint8_t*>(data);
    static_cast<Bytes*>(context)->insert(static_cast<Bytes*>(context)->end(), from, from + size);
  };
  const int ok = stbi_write_png_to_func(append, &bytes, image.width, image.height, image.channels,
                                        image.pixels.data(), static_cast<int>(image.stride()));
  NM_CHECK_AS(DataError, ok != 0, "[png] stb cannot encode the image");
  return bytes;
}
#endif

}  // namespace noisymix
