// Sums of enlargements against clipped zoom, one by one.
#include "augment/filters/zoom_sum.h"

#include <doctest/doctest.h>

#include <vector>

#include "augment/filters/clipped_zoom.h"
#include "tests/augment/images.h"

using namespace noisymix;

namespace {

/// Of sums of images in 0..1.
double largest_difference(int height, int width, const std::vector<double>& factors) {
  Scratch scratch;
  const auto plane = static_cast<std::size_t>(height) * zoom_stride(width);
  const Image image = testing::random_image(height, width, 2, Key(4));  // two planes
  std::vector<float> planes(zoom_planes_size(height, width, 2)), sum(planes.size());
  const auto at = [&](int c, int y, int x) {
    return static_cast<std::size_t>(c) * plane + static_cast<std::size_t>(y) * zoom_stride(width) +
           static_cast<std::size_t>(x);
  };
  std::vector<float> in, zoomed(image.pixels.size());
  for (const auto byte : image.pixels) in.push_back(static_cast<float>(byte) / 255);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 2; ++c) planes[at(c, y, x)] = in[static_cast<std::size_t>((y * width + x) * 2 + c)];
  add_zooms(planes.data(), 2, zoom_tables(height, width, factors, scratch), sum.data(), scratch);
  std::vector<double> expected(in.size());
  for (const double factor : factors) {
    clipped_zoom(in.data(), zoomed.data(), height, width, 2, factor, scratch);
    for (std::size_t i = 0; i < in.size(); ++i) expected[i] += static_cast<double>(zoomed[i]);
  }
  double largest = 0;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 2; ++c)
        largest = std::max(largest, std::abs(static_cast<double>(sum[at(c, y, x)]) -
                                             expected[static_cast<std::size_t>((y * width + x) * 2 + c)]));
  return largest;
}

}  // namespace

TEST_CASE("zoom sum: every factor by itself, where rounding sees nothing included") {
  bool nothing = false;
  Scratch scratch;
  for (const auto& sides : {std::pair{32, 32}, {8, 8}, {17, 33}, {40, 24}, {64, 64}})
    for (int i = 0; i <= 60; ++i) {
      const int height = sides.first, width = sides.second;
      const double factor = 1 + 0.01 * i;
      CAPTURE(width);
      CAPTURE(factor);
      CHECK(largest_difference(height, width, {factor}) < 3e-7);
      const Scratch::Frame frame(scratch);
      const auto axis = zoomed_axis(height, factor, scratch);
      nothing = nothing || (axis.lower_weight.back() == 0 && axis.upper_weight.back() == 0);
    }
  CHECK(nothing);
}

TEST_CASE("zoom sum: many factors, some of them alike") {
  CHECK(largest_difference(32, 32, {1, 1.01, 1.02, 1.03, 1.04, 1.05, 1.25, 3}) < 3e-6);
  CHECK(largest_difference(17, 33, {1.5, 1, 1, 1.5}) < 3e-6);
}
