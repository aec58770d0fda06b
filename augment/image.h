// 8-bit images as augmentations and files know them.
#pragma once

#include <cstdint>
#include <vector>

namespace noisymix {

/// Height x width x channels bytes, row-major (HWC); 1 (grey) or 3 (RGB) channels.
struct Image {
  int height = 0, width = 0, channels = 3;
  std::vector<std::uint8_t> pixels;

  Image() = default;
  Image(int h, int w, int c)
      : height(h),
        width(w),
        channels(c),
        pixels(static_cast<std::size_t>(h) * static_cast<std::size_t>(w) * static_cast<std::size_t>(c)) {}
  std::uint8_t* row(int y) { return pixels.data() + static_cast<std::size_t>(y) * stride(); }
  const std::uint8_t* row(int y) const { return pixels.data() + static_cast<std::size_t>(y) * stride(); }
  std::size_t stride() const { return static_cast<std::size_t>(width) * static_cast<std::size_t>(channels); }
  bool operator==(const Image&) const = default;
};

/// Per-channel (byte / 255 - mean) / stddev. A grey image uses the first entry.
struct Normalization {
  float mean[3] = {0.5f, 0.5f, 0.5f};
  float stddev[3] = {0.5f, 0.5f, 0.5f};
};

}  // namespace noisymix
