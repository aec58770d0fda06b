#include "augment/filters/gaussian_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/cpu/vectorise.h"

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

using Doubles = double __attribute__((vector_size(64), aligned(8), may_alias));  // eight, anywhere
template <class T>
struct Eight;
template <>
struct Eight<float> {
  using type = float __attribute__((vector_size(32), aligned(4), may_alias));
};
template <>
struct Eight<double> {
  using type = Doubles;
};

/// Where the values lie that weight k multiplies: at distance k on either side.
template <class T>
struct Neighbours {
  const T *before, *after;
};

/// `lanes` results; around[0] is the middle itself. The farthest pair is added first, as the reference does.
template <class T>
inline __attribute__((always_inline)) void sum_pairs_body(const Neighbours<T>* around, const double* weights,
                                                          int radius, std::size_t lanes, T* out) {
  using Values = typename Eight<T>::type;
  std::size_t i = 0;
  for (; i + 16 <= lanes; i += 16) {
    const auto* middle = reinterpret_cast<const Values*>(around[0].before + i);
    Doubles a = __builtin_convertvector(middle[0], Doubles) * weights[0];
    Doubles b = __builtin_convertvector(middle[1], Doubles) * weights[0];
    for (int k = radius; k >= 1; --k) {
      const auto* before = reinterpret_cast<const Values*>(around[k].before + i);
      const auto* after = reinterpret_cast<const Values*>(around[k].after + i);
      a += (__builtin_convertvector(before[0], Doubles) + __builtin_convertvector(after[0], Doubles)) *
           weights[k];
      b += (__builtin_convertvector(before[1], Doubles) + __builtin_convertvector(after[1], Doubles)) *
           weights[k];
    }
    auto* to = reinterpret_cast<Values*>(out + i);
    to[0] = __builtin_convertvector(a, Values);
    to[1] = __builtin_convertvector(b, Values);
  }
  for (; i < lanes; ++i) {
    double sum = static_cast<double>(around[0].before[i]) * weights[0];
    for (int k = radius; k >= 1; --k)
      sum +=
          (static_cast<double>(around[k].before[i]) + static_cast<double>(around[k].after[i])) * weights[k];
    out[i] = static_cast<T>(sum);
  }
}

NM_VECTORISED(sum_float_pairs,
              (const Neighbours<float>* around, const double* weights, int radius, std::size_t lanes,
               float* out),
              (around, weights, radius, lanes, out)) {
  sum_pairs_body(around, weights, radius, lanes, out);
}
NM_VECTORISED(sum_double_pairs,
              (const Neighbours<double>* around, const double* weights, int radius, std::size_t lanes,
               double* out),
              (around, weights, radius, lanes, out)) {
  sum_pairs_body(around, weights, radius, lanes, out);
}
void sum_pairs(const Neighbours<float>* around, const double* weights, int radius, std::size_t lanes,
               float* out) {
  sum_float_pairs(around, weights, radius, lanes, out);
}
void sum_pairs(const Neighbours<double>* around, const double* weights, int radius, std::size_t lanes,
               double* out) {
  sum_double_pairs(around, weights, radius, lanes, out);
}

/// Down the columns, a row of results at a time.
template <class T>
void pass_down(const T* in, T* out, int height, std::size_t row, const double* weights, int radius,
               Border border, Neighbours<T>* around) {
  for (int y = 0; y < height; ++y) {
    for (int k = 0; k <= radius; ++k)
      around[k] = {in + static_cast<std::size_t>(border_position(y - k, height, border)) * row,
                   in + static_cast<std::size_t>(border_position(y + k, height, border)) * row};
    sum_pairs(around, weights, radius, row, out + static_cast<std::size_t>(y) * row);
  }
}

/// Along the rows. `line` has room for a row and `radius` pixels on either side.
template <class T>
void pass_along(const T* in, T* out, int height, int width, int channels, const double* weights, int radius,
                Border border, Neighbours<T>* around, T* line) {
  const auto pixel = static_cast<std::size_t>(channels), row = static_cast<std::size_t>(width) * pixel;
  T* middle = line + static_cast<std::size_t>(radius) * pixel;
  for (int k = 0; k <= radius; ++k)
    around[k] = {middle - static_cast<std::size_t>(k) * pixel, middle + static_cast<std::size_t>(k) * pixel};
  for (int y = 0; y < height; ++y) {
    std::copy_n(in + static_cast<std::size_t>(y) * row, row, middle);
    for (int k = 1; k <= radius; ++k) {
      const auto before = static_cast<std::size_t>(border_position(-k, width, border)) * pixel;
      const auto after = static_cast<std::size_t>(border_position(width - 1 + k, width, border)) * pixel;
      std::copy_n(middle + before, pixel, middle - static_cast<std::size_t>(k) * pixel);
      std::copy_n(middle + after, pixel, middle + row + static_cast<std::size_t>(k - 1) * pixel);
    }
    sum_pairs(around, weights, radius, row, out + static_cast<std::size_t>(y) * row);
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
  const auto around = scratch.take<Neighbours<T>>(static_cast<std::size_t>(radius) + 1);
  pass_down(in, between.data(), height, row, weights.data(), radius, border, around.data());
  const auto line =
      scratch.take<T>(row + 2 * static_cast<std::size_t>(radius) * static_cast<std::size_t>(channels));
  pass_along(between.data(), out, height, width, channels, weights.data(), radius, border, around.data(),
             line.data());
}

template void gaussian_filter(const float*, float*, int, int, int, double, double, Border, Scratch&);
template void gaussian_filter(const double*, double*, int, int, int, double, double, Border, Scratch&);

}  // namespace noisymix
