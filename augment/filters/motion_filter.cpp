// Blur along a line: the image is widened by its edge pixels, then each tap is a shifted copy of it.
#include "augment/filters/motion_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

std::span<const MotionTap> motion_blur_kernel(double radius, double sigma, double degrees, Scratch& scratch) {
  NM_CHECK_AS(ConfigError, radius > 0 && sigma > 0, "[motion_blur_kernel] radius ", radius, ", sigma ", sigma,
              ": expected positive numbers");
  const int count = 2 * static_cast<int>(std::ceil(radius)) + 1;
  const auto taps = scratch.take<MotionTap>(static_cast<std::size_t>(count));
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

NM_VECTORISED(add_scaled,
              (double* NM_RESTRICT sum, const double* NM_RESTRICT in, std::size_t n, double weight),
              (sum, in, n, weight)) {
  for (std::size_t i = 0; i < n; ++i) sum[i] += in[i] * weight;
}

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
  int left = 0, right = 0, above = 0, below = 0;
  for (const auto& tap : taps) {
    left = std::max(left, -tap.column);
    right = std::max(right, tap.column);
    above = std::max(above, -tap.row);
    below = std::max(below, tap.row);
  }
  const auto pixel = static_cast<std::size_t>(channels), lanes = static_cast<std::size_t>(width) * pixel;
  const int wide = left + width + right, high = above + height + below;
  const auto stride = static_cast<std::size_t>(wide) * pixel;
  const auto widened = scratch.take<double>(static_cast<std::size_t>(high) * stride);
  double* put = widened.data();
  for (int y = 0; y < high; ++y) {
    const std::uint8_t* row = in + static_cast<std::size_t>(std::clamp(y - above, 0, height - 1)) * lanes;
    for (int x = 0; x < wide; ++x)
      for (std::size_t c = 0; c < pixel; ++c)
        *put++ = row[static_cast<std::size_t>(std::clamp(x - left, 0, width - 1)) * pixel + c];
  }
  const auto sum = scratch.take<double>(lanes);
  for (int y = 0; y < height; ++y) {
    std::fill(sum.begin(), sum.end(), 0.0);
    for (const auto& tap : taps)
      add_scaled(sum.data(),
                 widened.data() + static_cast<std::size_t>(y + above + tap.row) * stride +
                     static_cast<std::size_t>(left + tap.column) * pixel,
                 lanes, tap.weight);
    to_bytes(out + static_cast<std::size_t>(y) * lanes, sum.data(), lanes);
  }
}

}  // namespace noisymix
