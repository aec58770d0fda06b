#include "data/image_resize.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace noisymix {
namespace {

/// Source positions [first, first + weights.size()) and their weights, which sum to 1, for one target
/// position.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Taps> make_taps(int source, int target) {
  const double scale = static_cast<double>(source) / target, reach = std::max(scale, 1.0);
  std::vector<Taps> all(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    Taps& taps = all[static_cast<std::size_t>(i)];
    const double center = (i + 0.5) * scale;
    taps.first = std::max(0, static_cast<int>(std::floor(center - reach)));
    const int end = std::min(source, static_cast<int>(std::ceil(center + reach)));
    double sum = 0;
    for (int s = taps.first; s < end; ++s) {
      taps.weights.push_back(std::max(0.0, 1 - std::abs(s + 0.5 - center) / reach));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
  }
  return all;
}

}  // namespace

Image resize_image(const Image& image, int height, int width) {
  NM_CHECK(height >= 1 && width >= 1 && image.height >= 1 && image.width >= 1, "[resize] ", image.height, "x",
           image.width, " to ", height, "x", width, ": sides must be positive");
  if (height == image.height && width == image.width) return image;
  const std::vector<Taps> across = make_taps(image.width, width), down = make_taps(image.height, height);
  const auto channels = static_cast<std::size_t>(image.channels), columns = static_cast<std::size_t>(width);

  std::vector<double> narrow(static_cast<std::size_t>(image.height) * columns * channels, 0.0);
  for (int y = 0; y < image.height; ++y)
    for (std::size_t x = 0; x < columns; ++x)
      for (std::size_t i = 0; i < across[x].weights.size(); ++i)
        for (std::size_t c = 0; c < channels; ++c)
          narrow[(static_cast<std::size_t>(y) * columns + x) * channels + c] +=
              across[x].weights[i] *
              image.row(y)[(static_cast<std::size_t>(across[x].first) + i) * channels + c];

  Image result(height, width, image.channels);
  std::vector<double> row(columns * channels);
  for (int y = 0; y < height; ++y) {
    const Taps& taps = down[static_cast<std::size_t>(y)];
    std::fill(row.begin(), row.end(), 0.0);
    for (std::size_t i = 0; i < taps.weights.size(); ++i) {
      const double* source = narrow.data() + (static_cast<std::size_t>(taps.first) + i) * row.size();
      for (std::size_t x = 0; x < row.size(); ++x) row[x] += taps.weights[i] * source[x];
    }
    for (std::size_t x = 0; x < row.size(); ++x)
      result.row(y)[x] = static_cast<std::uint8_t>(std::lround(std::clamp(row[x], 0.0, 255.0)));
  }
  return result;
}

Image resize_shorter_side(const Image& image, int side) {
  NM_CHECK(side >= 1 && image.height >= 1 && image.width >= 1, "[resize] side is ", side,
           ", expected 1 or more");
  const double scale = static_cast<double>(side) / std::min(image.height, image.width);
  const int height = std::max(side, static_cast<int>(std::lround(image.height * scale)));
  const int width = std::max(side, static_cast<int>(std::lround(image.width * scale)));
  return resize_image(image, height, width);
}

Image crop_middle(const Image& image, int side) {
  NM_CHECK(side >= 1 && side <= image.height && side <= image.width, "[crop] a square of ", side,
           " does not fit an image of ", image.height, "x", image.width);
  Image result(side, side, image.channels);
  const int top = (image.height - side) / 2, left = (image.width - side) / 2;
  for (int y = 0; y < side; ++y)
    std::copy_n(image.row(top + y) + static_cast<std::size_t>(left * image.channels), result.stride(),
                result.row(y));
  return result;
}

Image resize_and_crop(const Image& image, int side) {
  return crop_middle(resize_shorter_side(image, side), side);
}

}  // namespace noisymix
