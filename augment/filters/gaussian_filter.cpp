#include "augment/filters/gaussian_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/error.h"

namespace noisymix {

int border_position(int i, int size, Border border) {
  if (i >= 0 && i < size) return i;
  if (border == Border::nearest) return i < 0 ? 0 : size - 1;
  const int period = border == Border::reflect ? 2 * size : std::max(1, 2 * size - 2);
  int p = i % period;
  if (p < 0) p += period;
  return p < size ? p : (border == Border::reflect ? 2 * size - 1 - p : 2 * size - 2 - p);
}

namespace {

/// One pass along an axis of `size` positions, `stride` values apart, for `lanes` neighbouring values at
/// once.
template <class T>
void pass(const T* in, T* out, int size, std::size_t stride, std::size_t lanes, const double* weights,
          int radius, Border border) {
  for (int i = 0; i < size; ++i) {
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      double sum = weights[0] * static_cast<double>(in[static_cast<std::size_t>(i) * stride + lane]);
      for (int k = radius; k >= 1; --k) {
        const auto before = static_cast<std::size_t>(border_position(i - k, size, border));
        const auto after = static_cast<std::size_t>(border_position(i + k, size, border));
        sum += weights[k] * (static_cast<double>(in[before * stride + lane]) +
                             static_cast<double>(in[after * stride + lane]));
      }
      out[static_cast<std::size_t>(i) * stride + lane] = static_cast<T>(sum);
    }
  }
}

}  // namespace

template <class T>
void gaussian_filter(const T* in, T* out, int height, int width, int channels, double sigma, double truncate,
                     Border border, Scratch& scratch) {
  const auto row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  const int radius = static_cast<int>(truncate * sigma + 0.5);
  if (radius == 0) {
    if (in != out) std::copy_n(in, static_cast<std::size_t>(height) * row, out);
    return;
  }
  const Scratch::Frame frame(scratch);
  const auto weights = scratch.take<double>(static_cast<std::size_t>(radius) + 1);
  double total = 0;
  for (int k = -radius; k <= radius; ++k) total += std::exp(-0.5 / (sigma * sigma) * k * k);
  for (int k = 0; k <= radius; ++k)
    weights[static_cast<std::size_t>(k)] = std::exp(-0.5 / (sigma * sigma) * k * k) / total;
  const auto between = scratch.take<T>(static_cast<std::size_t>(height) * row);
  pass(in, between.data(), height, row, row, weights.data(), radius, border);
  for (int y = 0; y < height; ++y) {
    pass(between.data() + static_cast<std::size_t>(y) * row, out + static_cast<std::size_t>(y) * row, width,
         static_cast<std::size_t>(channels), static_cast<std::size_t>(channels), weights.data(), radius,
         border);
  }
}

template void gaussian_filter(const float*, float*, int, int, int, double, double, Border, Scratch&);
template void gaussian_filter(const double*, double*, int, int, int, double, double, Border, Scratch&);

}  // namespace noisymix
