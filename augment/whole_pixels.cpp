// Operations that move whole pixels: translation, mirroring, padding and cropping.
#include <algorithm>
#include <cstring>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// out(y, x) = image(y + down, x + right), black outside.
void shifted(const Image& image, Image& out, std::int64_t down, std::int64_t right) {
  set_shape_like(out, image);
  const std::int64_t channels = image.channels, stride = static_cast<std::int64_t>(image.stride());
  const std::int64_t begin = std::clamp<std::int64_t>(-right, 0, image.width) * channels;
  const std::int64_t end = std::clamp<std::int64_t>(image.width - right, 0, image.width) * channels;
  for (int y = 0; y < image.height; ++y) {
    std::uint8_t* to = out.row(y);
    const std::int64_t from = y + down;
    if (from < 0 || from >= image.height || begin >= end) {
      std::memset(to, 0, static_cast<std::size_t>(stride));
      continue;
    }
    std::memset(to, 0, static_cast<std::size_t>(begin));
    std::memcpy(to + begin, image.row(static_cast<int>(from)) + begin + right * channels,
                static_cast<std::size_t>(end - begin));
    std::memset(to + end, 0, static_cast<std::size_t>(stride - end));
  }
}

}  // namespace

void translate_x(const Image& image, Image& out, int shift) {
  shifted(image, out, 0, shift);
}
void translate_y(const Image& image, Image& out, int shift) {
  shifted(image, out, shift, 0);
}

void pad_crop(const Image& image, Image& out, int padding, int top, int left) {
  NM_CHECK(padding >= 0 && top >= 0 && left >= 0 && top <= 2 * padding && left <= 2 * padding,
           "[pad_crop] corner (", top, ", ", left, ") must be in 0..2 * padding, padding is ", padding);
  shifted(image, out, top - padding, left - padding);
}

void flip_horizontal(const Image& image, Image& out) {
  set_shape_like(out, image);
  const std::size_t n = image.stride();
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(y);
    std::uint8_t* to = out.row(y);
    if (image.channels == 1) {
      std::reverse_copy(from, from + n, to);
      continue;
    }
    if (n == 0) continue;
    // Four bytes at a time are faster than three; the fourth is overwritten by the next pixel.
    std::memcpy(to, from + n - 3, 3);
    for (std::size_t i = 3; i + 3 < n; i += 3) std::memcpy(to + i, from + n - 3 - i, 4);
    std::memcpy(to + n - 3, from, 3);
  }
}

}  // namespace noisymix
