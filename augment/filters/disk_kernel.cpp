#include "augment/filters/disk_kernel.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "augment/filters/gaussian_filter.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// Smooths rows of a square with up to five symmetric taps, in single precision; w[0] is the middle one.
void smooth_rows(const float* in, float* out, int side, int radius, const float* w, bool transposed) {
  const int along = transposed ? side : 1, across = transposed ? 1 : side;
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const auto at = [&](int i) {
        return in[y * across + border_position(i, side, Border::mirror) * along];
      };
      float sum = at(x) * w[0];
      for (int k = 1; k <= radius; ++k) sum += (at(x - k) + at(x + k)) * w[k];
      out[y * across + x * along] = sum;
    }
}

}  // namespace

int disk_kernel_side(double radius) {
  return radius <= 8 ? 17 : 2 * static_cast<int>(radius) + 1;
}

std::span<const float> disk_kernel(double radius, double alias, Scratch& scratch) {
  NM_CHECK_AS(ConfigError, radius > 0 && alias > 0, "[disk_kernel] radius ", radius, ", softness ", alias,
              ": expected positive numbers");
  const int side = disk_kernel_side(radius), half = side / 2, taps = radius <= 8 ? 1 : 2;
  const auto kernel = scratch.take<float>(static_cast<std::size_t>(side) * static_cast<std::size_t>(side));
  const Scratch::Frame frame(scratch);
  const auto rows = scratch.take<float>(kernel.size());
  const auto inside = [&](int x, int y) { return x * x + y * y <= radius * radius; };
  float count = 0;
  for (int y = -half; y <= half; ++y)
    for (int x = -half; x <= half; ++x) count += inside(x, y) ? 1.0f : 0.0f;
  auto put = kernel.begin();
  for (int y = -half; y <= half; ++y)
    for (int x = -half; x <= half; ++x) *put++ = inside(x, y) ? 1 / count : 0;
  double total = 0;
  float weights[3];
  for (int k = -taps; k <= taps; ++k) total += std::exp(-0.5 * k * k / (alias * alias));
  for (int k = 0; k <= taps; ++k)
    weights[k] = static_cast<float>(std::exp(-0.5 * k * k / (alias * alias)) / total);
  smooth_rows(kernel.data(), rows.data(), side, taps, weights, false);
  smooth_rows(rows.data(), kernel.data(), side, taps, weights, true);
  return kernel;
}

std::span<const Tap> disk_taps(double radius, double alias, Scratch& scratch) {
  const auto kernel = disk_kernel(radius, alias, scratch);
  const int side = disk_kernel_side(radius), half = side / 2;
  const float largest = *std::max_element(kernel.begin(), kernel.end());
  const auto taps = scratch.take<Tap>(kernel.size());
  std::size_t count = 0;
  for (int i = 0; i < side * side; ++i) {
    const float weight = kernel[static_cast<std::size_t>(i)];
    if (weight > 1e-9f * largest) taps[count++] = {i % side - half, i / side - half, weight};
  }
  return taps.first(count);
}

}  // namespace noisymix
