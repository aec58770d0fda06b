#include "augment/filters/gaussian_filter.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "augment/filters/wide_doubles.h"
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

/// Where the values lie that weight k multiplies: at distance k on either side.
template <class T>
struct Neighbours {
  const T *before, *after;
};

/// Values of one type as another.
template <class To, class From, class T>
inline __attribute__((always_inline)) To load_converted(const T* from) {
  return __builtin_convertvector(load_vector<From>(from), To);
}

/// `lanes` results; around[0] is the middle itself. The farthest pair is added first, as the reference does.
template <class V, class T>
inline __attribute__((always_inline)) void sum_pairs_body(const Neighbours<T>* around, const double* weights,
                                                          int radius, std::size_t lanes, T* out) {
  using Doubles = typename V::type;
  using Values = std::conditional_t<std::is_same_v<T, float>, typename V::floats, Doubles>;
  constexpr std::size_t kNext = V::kLanes;
  std::size_t i = 0;
  for (; i + 2 * kNext <= lanes; i += 2 * kNext) {
    const T* middle = around[0].before + i;
    Doubles a = load_converted<Doubles, Values>(middle) * weights[0],
            b = load_converted<Doubles, Values>(middle + kNext) * weights[0];
    for (int k = radius; k >= 1; --k) {
      const T *before = around[k].before + i, *after = around[k].after + i;
      a += (load_converted<Doubles, Values>(before) + load_converted<Doubles, Values>(after)) * weights[k];
      b +=
          (load_converted<Doubles, Values>(before + kNext) + load_converted<Doubles, Values>(after + kNext)) *
          weights[k];
    }
    store_vector(out + i, __builtin_convertvector(a, Values));
    store_vector(out + i + kNext, __builtin_convertvector(b, Values));
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
  sum_pairs_body<FourDoubles>(around, weights, radius, lanes, out);
}
NM_VECTORISED(sum_float_pairs_wide,
              (const Neighbours<float>* around, const double* weights, int radius, std::size_t lanes,
               float* out),
              (around, weights, radius, lanes, out)) {
  sum_pairs_body<EightDoubles>(around, weights, radius, lanes, out);
}
NM_VECTORISED(sum_double_pairs,
              (const Neighbours<double>* around, const double* weights, int radius, std::size_t lanes,
               double* out),
              (around, weights, radius, lanes, out)) {
  sum_pairs_body<FourDoubles>(around, weights, radius, lanes, out);
}
NM_VECTORISED(sum_double_pairs_wide,
              (const Neighbours<double>* around, const double* weights, int radius, std::size_t lanes,
               double* out),
              (around, weights, radius, lanes, out)) {
  sum_pairs_body<EightDoubles>(around, weights, radius, lanes, out);
}
void sum_pairs(const Neighbours<float>* around, const double* weights, int radius, std::size_t lanes,
               float* out) {
  (has_eight_doubles() ? sum_float_pairs_wide : sum_float_pairs)(around, weights, radius, lanes, out);
}
void sum_pairs(const Neighbours<double>* around, const double* weights, int radius, std::size_t lanes,
               double* out) {
  (has_eight_doubles() ? sum_double_pairs_wide : sum_double_pairs)(around, weights, radius, lanes, out);
}

/// Down the columns, a row of results at a time, `stride` values apart.
template <class T>
void pass_down(const T* in, T* out, int height, std::size_t row, std::size_t stride, const double* weights,
               int radius, Border border, Neighbours<T>* around) {
  for (int y = 0; y < height; ++y) {
    for (int k = 0; k <= radius; ++k)
      around[k] = {in + static_cast<std::size_t>(border_position(y - k, height, border)) * row,
                   in + static_cast<std::size_t>(border_position(y + k, height, border)) * row};
    sum_pairs(around, weights, radius, row, out + static_cast<std::size_t>(y) * stride);
  }
}

/// A pixel outside a row and the one that stands for it, as offsets from the row's first value.
struct Outside {
  std::ptrdiff_t to, from;
};

/// Along rows, `stride` values apart and with room for `radius` pixels on either side.
template <class T>
void pass_along(T* in, std::size_t stride, T* out, int height, int width, int channels, const double* weights,
                int radius, Border border, Neighbours<T>* around, Scratch& scratch) {
  const auto row = static_cast<std::size_t>(width) * static_cast<std::size_t>(channels);
  const auto outside = scratch.take<Outside>(2 * static_cast<std::size_t>(radius));
  for (int k = 0; k < radius; ++k) {
    const int before = -1 - k, after = width + k;
    outside[2 * static_cast<std::size_t>(k)] = {before * channels,
                                                border_position(before, width, border) * channels};
    outside[2 * static_cast<std::size_t>(k) + 1] = {after * channels,
                                                    border_position(after, width, border) * channels};
  }
  for (int y = 0; y < height; ++y, in += stride) {
    for (const auto& pixel : outside)
      for (int c = 0; c < channels; ++c) in[pixel.to + c] = in[pixel.from + c];
    for (int k = 0; k <= radius; ++k) around[k] = {in - k * channels, in + k * channels};
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
  const auto around = scratch.take<Neighbours<T>>(static_cast<std::size_t>(radius) + 1);
  // The first pass leaves room for the second one's border.
  const std::size_t margin = static_cast<std::size_t>(radius) * static_cast<std::size_t>(channels);
  const std::size_t stride = row + 2 * margin;
  const auto between = scratch.take<T>(static_cast<std::size_t>(height) * stride);
  pass_down(in, between.data() + margin, height, row, stride, weights.data(), radius, border, around.data());
  pass_along(between.data() + margin, stride, out, height, width, channels, weights.data(), radius, border,
             around.data(), scratch);
}

template void gaussian_filter(const float*, float*, int, int, int, double, double, Border, Scratch&);
template void gaussian_filter(const double*, double*, int, int, int, double, double, Border, Scratch&);

}  // namespace noisymix
