// Blur along a line: the kernel, its sums, and the library's rounding.
#include "augment/filters/motion_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "augment/filters/unit_values.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

std::span<const Tap> motion_blur_kernel(double radius, double sigma, double degrees, Scratch& scratch) {
  NM_CHECK_AS(ConfigError, radius > 0 && sigma > 0, "[motion_blur_kernel] radius ", radius, ", sigma ", sigma,
              ": expected positive numbers");
  const int count = 2 * static_cast<int>(std::ceil(radius)) + 1;
  const auto taps = scratch.take<Tap>(static_cast<std::size_t>(count));
  const double angle = degrees * std::numbers::pi / 180;
  const double down = count * std::sin(angle), right = count * std::cos(angle);
  const double length = std::hypot(down, right);
  double total = 0;
  for (int i = 0; i < count; ++i) {
    const double weight = std::exp(-i * i / (2 * sigma * sigma));
    taps[static_cast<std::size_t>(i)] = {static_cast<int>(std::ceil(i * right / length - 0.5)),
                                         static_cast<int>(std::ceil(i * down / length - 0.5)), weight};
    total += weight;
  }
  for (auto& tap : taps) tap.weight /= total;
  return taps;
}

namespace {

NM_VECTORISED(to_bytes, (std::uint8_t * NM_RESTRICT out, const double* NM_RESTRICT sum, std::size_t n),
              (out, sum, n)) {
  for (std::size_t i = 0; i < n; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(257 * sum[i] + 0.5) / 257);
}

}  // namespace

void motion_filter(const std::uint8_t* in, std::uint8_t* out, int height, int width, int channels,
                   double radius, double sigma, double degrees, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto taps = motion_blur_kernel(radius, sigma, degrees, scratch);
  const auto count =
      static_cast<std::size_t>(height) * static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  const auto sums = scratch.take<double>(count);
  sum_taps(in, height, width, channels, grey_level_table(), taps, Border::nearest, sums.data(), scratch);
  to_bytes(out, sums.data(), count);
}

}  // namespace noisymix
