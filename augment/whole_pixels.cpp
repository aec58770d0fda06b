// Operations that move whole pixels: translation, mirroring, padding and cropping.
#include <algorithm>
#include <cstring>

#include "augment/image_ops.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// out(y, x) = image(y + down, x + right), black outside. The rows that stay are copied as one block, moved
/// sideways; what enters a row from its neighbours is then made black.
void shifted(const Image& image, Image& out, std::int64_t down, std::int64_t right) {
  set_shape_like(out, image);
  const std::int64_t height = image.height, width = image.width, channels = image.channels,
                     stride = width * channels;
  const std::int64_t top = std::clamp<std::int64_t>(-down, 0, height);
  const std::int64_t bottom = std::clamp<std::int64_t>(height - down, top, height);
  std::uint8_t* to = out.pixels.data();
  if (top >= bottom || right >= width || right <= -width) {
    std::fill(out.pixels.begin(), out.pixels.end(), std::uint8_t{0});
    return;
  }
  const std::int64_t before = std::max<std::int64_t>(-right, 0) * channels;  // black bytes of each row
  const std::int64_t behind = std::max<std::int64_t>(right, 0) * channels;
  std::fill(to, to + top * stride, std::uint8_t{0});
  std::memcpy(to + top * stride + before, image.pixels.data() + (top + down) * stride + behind,
              static_cast<std::size_t>((bottom - top) * stride - before - behind));
  for (std::int64_t y = top; y < bottom; ++y) {
    std::uint8_t* row = to + y * stride;
    for (std::int64_t i = 0; i < before; ++i) row[i] = 0;
    for (std::int64_t i = stride - behind; i < stride; ++i) row[i] = 0;
  }
  std::fill(to + bottom * stride, to + height * stride, std::uint8_t{0});
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
