// Images for the tests of augmentation.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstring>

#include "augment/image.h"
#include "engine/key.h"
#include "engine/tensor.h"

namespace noisymix::testing {

/// Image i of a u8 tensor [n, height, width] or [n, height, width, channels].
inline Image image_of(const Tensor& stack, std::int64_t i) {
  Image image(static_cast<int>(stack.dim(1)), static_cast<int>(stack.dim(2)),
              stack.rank() == 4 ? static_cast<int>(stack.dim(3)) : 1);
  std::memcpy(image.pixels.data(),
              stack.data<std::uint8_t>() + static_cast<std::size_t>(i) * image.pixels.size(),
              image.pixels.size());
  return image;
}

/// Independent uniform bytes.
inline Image random_image(int height, int width, int channels, Key key) {
  Image image(height, width, channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(key.block(i)[0] >> 24);
  return image;
}

/// Waves with flat areas at both ends of the range: close to what photographs ask of interpolation.
inline Image smooth_image(int height, int width, int channels, Key key) {
  Image image(height, width, channels);
  const double phase = 6.3 * key.uniform(0), slope = 0.1 + 0.3 * key.uniform(1);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < channels; ++c) {
        const double wave = 127 + 160 * std::sin(phase + slope * x + 0.21 * y + c);
        image.row(y)[x * channels + c] = static_cast<std::uint8_t>(std::clamp(wave, 0.0, 255.0));
      }
  return image;
}

}  // namespace noisymix::testing
