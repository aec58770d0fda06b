// Blends with a degenerate image, as the imaging library computes them: f32 arithmetic, truncation, and
// clipping only where the factor leads outside.
#include <algorithm>
#include <cstdint>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

/// out[i] = degenerate[i] + factor * (v[i] - degenerate[i]), truncated and clipped.
NM_VECTORISED(blend_bytes,
              (std::uint8_t * NM_RESTRICT out, const std::uint8_t* NM_RESTRICT v,
               const std::uint8_t* NM_RESTRICT degenerate, std::size_t n, float factor),
              (out, v, degenerate, n, factor)) {
  for (std::size_t i = 0; i < n; ++i) {
    const int from = degenerate[i], gap = v[i] - from;
    const int value = static_cast<int>(static_cast<float>(from) + factor * static_cast<float>(gap));
    const int floored = value < 0 ? 0 : value;
    out[i] = static_cast<std::uint8_t>(floored > 255 ? 255 : floored);
  }
}

/// The degenerate image of the running call; its memory is kept.
Image& degenerate_like(const Image& image) {
  thread_local Image degenerate;
  set_shape_like(degenerate, image);
  return degenerate;
}

void blend(const Image& image, const Image& degenerate, Image& out, double factor) {
  set_shape_like(out, image);
  blend_bytes(out.pixels.data(), image.pixels.data(), degenerate.pixels.data(), image.pixels.size(),
              static_cast<float>(factor));
}

void blend_with_constant(const Image& image, std::uint8_t value, Image& out, double factor) {
  Image& degenerate = degenerate_like(image);
  std::fill(degenerate.pixels.begin(), degenerate.pixels.end(), value);
  blend(image, degenerate, out, factor);
}

std::uint8_t luminance(const std::uint8_t* rgb) {
  return static_cast<std::uint8_t>((19595u * rgb[0] + 38470u * rgb[1] + 7471u * rgb[2] + 32768u) >> 16);
}

}  // namespace

void grayscale(const Image& image, Image& out) {
  if (image.channels == 1) {
    out = image;
    return;
  }
  set_shape(out, image.height, image.width, 1);
  const std::uint8_t* p = image.pixels.data();
  for (std::size_t i = 0; i < out.pixels.size(); ++i) out.pixels[i] = luminance(p + 3 * i);
}

void color(const Image& image, Image& out, double factor) {
  if (image.channels == 1) {
    out = image;
    return;
  }
  Image& degenerate = degenerate_like(image);
  for (std::size_t i = 0; i < image.pixels.size(); i += 3) {
    const std::uint8_t grey = luminance(image.pixels.data() + i);
    for (std::size_t c = 0; c < 3; ++c) degenerate.pixels[i + c] = grey;
  }
  blend(image, degenerate, out, factor);
}

void contrast(const Image& image, Image& out, double factor) {
  std::uint64_t sum = 0;
  const std::size_t channels = static_cast<std::size_t>(image.channels),
                    pixels = image.pixels.size() / channels;
  for (std::size_t i = 0; i < pixels; ++i)
    sum += channels == 1 ? image.pixels[i] : luminance(image.pixels.data() + 3 * i);
  const double mean = static_cast<double>(sum) / static_cast<double>(pixels > 0 ? pixels : 1);
  blend_with_constant(image, static_cast<std::uint8_t>(mean + 0.5), out, factor);
}

void brightness(const Image& image, Image& out, double factor) {
  blend_with_constant(image, 0, out, factor);
}

void sharpness(const Image& image, Image& out, double factor) {
  Image& smooth = degenerate_like(image);
  smooth.pixels = image.pixels;
  const std::size_t c = static_cast<std::size_t>(image.channels), stride = image.stride();
  for (int y = 1; y + 1 < image.height; ++y) {
    const std::uint8_t *above = image.row(y - 1), *row = image.row(y), *below = image.row(y + 1);
    std::uint8_t* to = smooth.row(y);
    for (std::size_t i = c; i + c < stride; ++i) {
      const unsigned columns = above[i - c] + above[i] + above[i + c] + row[i - c] + row[i + c] +
                               below[i - c] + below[i] + below[i + c];
      to[i] = static_cast<std::uint8_t>((2 * (columns + 5u * row[i]) + 13) /
                                        26);  // sum / 13, rounded; never a tie
    }
  }
  blend(image, smooth, out, factor);
}

}  // namespace noisymix
