// Colours as hue, saturation and value: without branches, for loops that become vector code.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/cpu/vectorise.h"

namespace noisymix {

#define NM_HSV_INLINE inline __attribute__((always_inline))

/// From channels in 0..1. v = the largest, s = (largest - smallest) / v, h in [0, 1) from red over green and
/// blue; a grey has h = 0 and s = 0. In double the order of operations is that of the benchmarks, to the bit.
template <class T>
NM_HSV_INLINE void hsv_of_rgb(T r, T g, T b, T& h, T& s, T& v) {
  const T most = r > g ? (r > b ? r : b) : (g > b ? g : b);
  const T least = r < g ? (r < b ? r : b) : (g < b ? g : b);
  const T delta = most - least;
  // Of several largest channels the last one counts.
  T from = most == r ? g - b : T{0}, sextant = T{0};
  from = most == g ? b - r : from;
  sextant = most == g ? T{2} : sextant;
  from = most == b ? r - g : from;
  sextant = most == b ? T{4} : sextant;
  const T divisor = delta > T{0} ? delta : T{1};
  T hue = (sextant + from / divisor) / T{6};
  hue = hue < T{0} ? hue + T{1} : hue;
  h = delta > T{0} ? hue : T{0};
  s = delta / (most > T{0} ? most : T{1});
  v = most;
}

/// Back again; h in [0, 1], 1 the same as 0.
template <class T>
NM_HSV_INLINE void rgb_of_hsv(T h, T s, T v, T& r, T& g, T& b) {
  const T turned = h * T{6};
  const T whole = static_cast<T>(static_cast<std::int32_t>(turned));
  const T f = turned - whole, floor = whole == T{6} ? T{0} : whole;
  const T p = v * (T{1} - s), q = v * (T{1} - f * s), t = v * (T{1} - (T{1} - f) * s);
  // Sextant: 0 (v, t, p), 1 (q, v, p), 2 (p, v, t), 3 (p, q, v), 4 (t, p, v), 5 (v, p, q).
  r = floor == T{1} ? q : v;
  r = floor == T{2} ? p : r;
  r = floor == T{3} ? p : r;
  r = floor == T{4} ? t : r;
  g = floor == T{0} ? t : v;
  g = floor == T{3} ? q : g;
  g = floor == T{4} ? p : g;
  g = floor == T{5} ? p : g;
  b = floor == T{0} ? p : v;
  b = floor == T{1} ? p : b;
  b = floor == T{2} ? t : b;
  b = floor == T{5} ? q : b;
}

/// Changes s and v of every pixel by change(s, v), whose results are in 0..1, and truncates 255 times the
/// channels to bytes. `values`, unless null, receives what is truncated. For bodies of NM_VECTORISED;
/// `change` is to be always inlined.
template <class Change>
NM_HSV_INLINE void change_pixels(const std::uint8_t* NM_RESTRICT in, std::uint8_t* NM_RESTRICT out,
                                 std::size_t pixels, double* NM_RESTRICT values, const Change& change) {
  constexpr std::size_t kChunk = 128;
  alignas(64) std::int32_t red[kChunk], green[kChunk], blue[kChunk];
  alignas(64) double r[kChunk], g[kChunk], b[kChunk];
  for (std::size_t i = 0; i < kChunk; ++i) red[i] = green[i] = blue[i] = 0;
  for (std::size_t start = 0; start < pixels; start += kChunk) {
    const std::size_t count = pixels - start < kChunk ? pixels - start : kChunk;
    const std::uint8_t* from = in + 3 * start;
    for (std::size_t i = 0; i < count; ++i) {
      red[i] = from[3 * i];
      green[i] = from[3 * i + 1];
      blue[i] = from[3 * i + 2];
    }
    for (std::size_t i = 0; i < kChunk; ++i) {  // always all of them: a fixed length needs no remainder
      double h, s, v, x, y, z;
      hsv_of_rgb(static_cast<double>(red[i]) / 255, static_cast<double>(green[i]) / 255,
                 static_cast<double>(blue[i]) / 255, h, s, v);
      change(s, v);
      rgb_of_hsv(h, s, v, x, y, z);
      r[i] = (x < 1 ? x : 1) * 255;
      g[i] = (y < 1 ? y : 1) * 255;
      b[i] = (z < 1 ? z : 1) * 255;
      red[i] = static_cast<std::int32_t>(r[i]);
      green[i] = static_cast<std::int32_t>(g[i]);
      blue[i] = static_cast<std::int32_t>(b[i]);
    }
    std::uint8_t* to = out + 3 * start;
    for (std::size_t i = 0; i < count; ++i) {
      to[3 * i] = static_cast<std::uint8_t>(red[i]);
      to[3 * i + 1] = static_cast<std::uint8_t>(green[i]);
      to[3 * i + 2] = static_cast<std::uint8_t>(blue[i]);
    }
    if (values == nullptr) continue;
    for (std::size_t i = 0; i < count; ++i) {
      values[3 * (start + i)] = r[i];
      values[3 * (start + i) + 1] = g[i];
      values[3 * (start + i) + 2] = b[i];
    }
  }
}

#undef NM_HSV_INLINE

}  // namespace noisymix
