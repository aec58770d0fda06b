#include "augment/filters/affine_warp.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>

#include "augment/filters/quad_pixels.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

// Sums of a column's and a row's share are formed with 10 fractional bits, of which 5 are kept.
constexpr int kSumBits = 10, kBits = 5, kSteps = 1 << kBits, kRounding = 1 << (kSumBits - kBits - 1);

/// From target to source, term by term as the library computes it.
AffineMap inverse(const AffineMap& map) {
  const double* m = map.m;
  const double determinant = m[0] * m[4] - m[1] * m[3];
  const double d = determinant != 0 ? 1 / determinant : 0;
  AffineMap r{{m[4] * d, m[1] * -d, 0, m[3] * -d, m[0] * d, 0}};
  r.m[2] = -r.m[0] * m[2] - r.m[1] * m[5];
  r.m[5] = -r.m[3] * m[2] - r.m[4] * m[5];
  return r;
}

/// To the nearest, halves to even; limited so that the sum of two, shifted, stays within 2 * 16384 pixels.
int fixed(double value) {
  constexpr double kLimit = 16384 << kSumBits;
  return static_cast<int>(std::nearbyint(std::clamp(value * (1 << kSumBits), -kLimit, kLimit)));
}

/// Shares of columns or rows in both source coordinates.
struct Shares {
  std::span<int> x, y;
};
Shares make_shares(int count, double slope_x, double shift_x, double slope_y, double shift_y,
                   Scratch& scratch) {
  const auto n = static_cast<std::size_t>(count);
  const Shares s{scratch.take<int>(n), scratch.take<int>(n)};
  for (std::size_t i = 0; i < n; ++i) {
    s.x[i] = fixed(slope_x * static_cast<double>(i) + shift_x);
    s.y[i] = fixed(slope_y * static_cast<double>(i) + shift_y);
  }
  return s;
}

NM_VECTORISED(make_taps,
              (const int* NM_RESTRICT column_x, const int* NM_RESTRICT column_y, int row_x, int row_y,
               int count, QuadTaps* NM_RESTRICT taps),
              (column_x, column_y, row_x, row_y, count, taps)) {
  for (int i = 0; i < count; ++i) {
    const int x = (row_x + column_x[i] + kRounding) >> (kSumBits - kBits);
    const int y = (row_y + column_y[i] + kRounding) >> (kSumBits - kBits);
    taps->left[i] = x >> kBits;
    taps->top[i] = y >> kBits;
    const float right = static_cast<float>(x & (kSteps - 1)) * (1.0f / kSteps);
    const float bottom = static_cast<float>(y & (kSteps - 1)) * (1.0f / kSteps);
    taps->weight[0][i] = (1 - bottom) * (1 - right);
    taps->weight[1][i] = (1 - bottom) * right;
    taps->weight[2][i] = bottom * (1 - right);
    taps->weight[3][i] = bottom * right;
  }
}

}  // namespace

AffineMap affine_through(const float (&from)[3][2], const float (&to)[3][2]) {
  const double x0 = from[0][0], y0 = from[0][1];
  const double ax = from[1][0] - x0, ay = from[1][1] - y0, bx = from[2][0] - x0, by = from[2][1] - y0;
  const double determinant = ax * by - ay * bx;
  NM_CHECK(determinant != 0, "[affine_through] the three points lie on one line");
  AffineMap map;
  for (int i = 0; i < 2; ++i) {
    const double u0 = to[0][i], au = to[1][i] - u0, bu = to[2][i] - u0;
    double* const m = map.m + 3 * i;
    m[0] = (au * by - ay * bu) / determinant;
    m[1] = (ax * bu - au * bx) / determinant;
    m[2] = u0 - m[0] * x0 - m[1] * y0;
  }
  return map;
}

void affine_warp(const float* in, float* out, int height, int width, const AffineMap& map, Border border,
                 Scratch& scratch) {
  NM_CHECK(height >= 1 && width >= 1, "[affine_warp] image is ", height, "x", width,
           ", expected positive sides");
  const Scratch::Frame frame(scratch);
  const AffineMap source = inverse(map);
  const Shares columns = make_shares(width, source.m[0], 0, source.m[3], 0, scratch);
  const Shares rows = make_shares(height, source.m[1], source.m[2], source.m[4], source.m[5], scratch);
  QuadTaps taps;
  for (int y = 0; y < height; ++y) {
    const auto row = static_cast<std::size_t>(y);
    for (int x = 0; x < width; x += QuadTaps::kMost) {
      const int count = std::min(QuadTaps::kMost, width - x);
      make_taps(columns.x.data() + x, columns.y.data() + x, rows.x[row], rows.y[row], count, &taps);
      blend_quads(in, height, width, border, taps, count,
                  out + 4 * (row * static_cast<std::size_t>(width) + static_cast<std::size_t>(x)));
    }
  }
}

}  // namespace noisymix
