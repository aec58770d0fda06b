// Resizing by its definition, in double and without rounding in between: what byte routines are compared
// with.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "augment/filters/bilinear_resize.h"

namespace noisymix::testing {

/// Row-major height x width x channels values of the box under a triangle of reach max(1, scale).
inline std::vector<double> resampled(const Image& image, const PixelBox& box, int height, int width) {
  const auto share = [](int source, int target, int s, int t) {
    const double scale = static_cast<double>(source) / target;
    return std::max(0.0, 1 - std::abs(s + 0.5 - (t + 0.5) * scale) / std::max(1.0, scale));
  };
  std::vector<double> result;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < image.channels; ++c) {
        double sum = 0, weights = 0;
        for (int j = 0; j < box.height; ++j) {
          const double down = share(box.height, height, j, y);
          if (down == 0) continue;
          for (int i = 0; i < box.width; ++i) {
            const double weight = down * share(box.width, width, i, x);
            sum += weight * image.row(box.top + j)[(box.left + i) * image.channels + c];
            weights += weight;
          }
        }
        result.push_back(sum / weights);
      }
  return result;
}

}  // namespace noisymix::testing
