#include "augment/filters/bilinear_scale.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace noisymix {

namespace {

/// The two positions that an output position mixes, and the share of the second.
struct Mix {
  int first, second;
  double share;
};

std::vector<Mix> mixes(int size, int scaled, double factor) {
  std::vector<Mix> result;
  result.reserve(static_cast<std::size_t>(scaled));
  for (int i = 0; i < scaled; ++i) {
    const double position = std::clamp((i + 0.5) / factor - 0.5, 0.0, static_cast<double>(size - 1));
    const int first = static_cast<int>(position);
    result.push_back({first, std::min(first + 1, size - 1), position - first});
  }
  return result;
}

int scaled_side(int side, double factor) {
  return std::max(1, static_cast<int>(std::nearbyint(side * factor)));
}

}  // namespace

Image bilinear_scaled(const Image& image, double factor) {
  if (factor == 1) return image;
  Image out(scaled_side(image.height, factor), scaled_side(image.width, factor), image.channels);
  const auto rows = mixes(image.height, out.height, factor), columns = mixes(image.width, out.width, factor);
  std::uint8_t* to = out.pixels.data();
  for (const Mix& r : rows) {
    const std::uint8_t* upper = image.row(r.first);
    const std::uint8_t* lower = image.row(r.second);
    for (const Mix& c : columns) {
      for (int channel = 0; channel < image.channels; ++channel) {
        const int left = c.first * image.channels + channel, right = c.second * image.channels + channel;
        const double above = upper[left] + (upper[right] - upper[left]) * c.share;
        const double below = lower[left] + (lower[right] - lower[left]) * c.share;
        *to++ = static_cast<std::uint8_t>(above + (below - above) * r.share + 0.5);
      }
    }
  }
  return out;
}

}  // namespace noisymix
