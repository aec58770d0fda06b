// Operations that move whole pixels: translation, mirroring, padding and cropping.
#include <algorithm>
#include <cstring>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
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

using Bytes16 = std::uint8_t __attribute__((vector_size(16)));

/// Mirrors rows of RGB pixels, five at a time as long as 16 bytes can be read and written inside the row.
NM_VECTORISED(mirror_rgb,
              (std::uint8_t * NM_RESTRICT to, const std::uint8_t* NM_RESTRICT from, std::size_t rows,
               std::size_t width),
              (to, from, rows, width)) {
  for (std::size_t y = 0; y < rows; ++y, to += 3 * width, from += 3 * width) {
    std::size_t left = width;  // pixels to go: the first ones of the source, the last ones of the result
    for (; left > 5; left -= 5) {
      Bytes16 v;
      std::memcpy(&v, from + 3 * left - 16, sizeof v);
      v = __builtin_shufflevector(v, v, 13, 14, 15, 10, 11, 12, 7, 8, 9, 4, 5, 6, 1, 2, 3, 0);
      std::memcpy(to + 3 * (width - left), &v, sizeof v);  // the last byte is overwritten by the next pixel
    }
    for (; left > 0; --left) std::memcpy(to + 3 * (width - left), from + 3 * (left - 1), 3);
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
  if (image.channels == 3) {
    mirror_rgb(out.pixels.data(), image.pixels.data(), static_cast<std::size_t>(image.height),
               static_cast<std::size_t>(image.width));
    return;
  }
  for (int y = 0; y < image.height; ++y)
    std::reverse_copy(image.row(y), image.row(y) + image.stride(), out.row(y));
}

}  // namespace noisymix
