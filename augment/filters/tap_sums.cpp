// Correlation with a list of taps, vector by vector of one row, so that sums stay in registers.
#include "augment/filters/tap_sums.h"

#include <algorithm>

#include "augment/filters/unit_values.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

using Doubles = double __attribute__((vector_size(64), aligned(8), may_alias));  // eight, anywhere

/// One row: out[i] = sum over taps of weights[t] in[offsets[t] + i].
NM_VECTORISED(sum_row,
              (const double* in, const std::ptrdiff_t* offsets, const double* weights, std::size_t taps,
               std::size_t lanes, double* out),
              (in, offsets, weights, taps, lanes, out)) {
  std::size_t i = 0;
  for (; i + 32 <= lanes; i += 32) {
    Doubles a{}, b{}, c{}, d{};
    for (std::size_t t = 0; t < taps; ++t) {
      const auto* from = reinterpret_cast<const Doubles*>(in + offsets[t] + i);
      a += from[0] * weights[t];
      b += from[1] * weights[t];
      c += from[2] * weights[t];
      d += from[3] * weights[t];
    }
    auto* to = reinterpret_cast<Doubles*>(out + i);
    to[0] = a;
    to[1] = b;
    to[2] = c;
    to[3] = d;
  }
  for (; i + 8 <= lanes; i += 8) {
    Doubles a{};
    for (std::size_t t = 0; t < taps; ++t)
      a += *reinterpret_cast<const Doubles*>(in + offsets[t] + i) * weights[t];
    *reinterpret_cast<Doubles*>(out + i) = a;
  }
  for (; i < lanes; ++i) {
    double sum = 0;
    for (std::size_t t = 0; t < taps; ++t)
      sum += in[offsets[t] + static_cast<std::ptrdiff_t>(i)] * weights[t];
    out[i] = sum;
  }
}

/// How far taps reach beyond the pixel.
struct Reach {
  int left = 0, right = 0, above = 0, below = 0;
};
Reach reach_of(std::span<const Tap> taps) {
  Reach reach;
  for (const auto& tap : taps) {
    reach.left = std::max(reach.left, -tap.column);
    reach.right = std::max(reach.right, tap.column);
    reach.above = std::max(reach.above, -tap.row);
    reach.below = std::max(reach.below, tap.row);
  }
  return reach;
}

/// A row from `width` pixels that lie at `row`, with the pixels that stand for those outside around them.
void widen_row(double* row, int width, std::size_t pixel, const Reach& reach, Border border) {
  for (int x = -reach.left; x < width + reach.right; x = x == -1 ? width : x + 1)
    std::copy_n(row + static_cast<std::size_t>(border_position(x, width, border)) * pixel, pixel,
                row + x * static_cast<std::ptrdiff_t>(pixel));
}

}  // namespace

void sum_taps(const std::uint8_t* in, int height, int width, int channels, const double* table,
              std::span<const Tap> taps, Border border, double* out, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const Reach reach = reach_of(taps);
  const auto pixel = static_cast<std::size_t>(channels), lanes = static_cast<std::size_t>(width) * pixel;
  const auto stride = static_cast<std::size_t>(reach.left + width + reach.right) * pixel;
  const auto widened =
      scratch.take<double>(static_cast<std::size_t>(reach.above + height + reach.below) * stride);
  double* first = widened.data() + static_cast<std::size_t>(reach.above) * stride +
                  static_cast<std::size_t>(reach.left) * pixel;
  const auto row_at = [&](int y) { return first + y * static_cast<std::ptrdiff_t>(stride); };
  for (int y = 0; y < height; ++y) {
    look_up(in + static_cast<std::size_t>(y) * lanes, lanes, table, row_at(y));
    widen_row(row_at(y), width, pixel, reach, border);
  }
  const auto before = static_cast<std::ptrdiff_t>(static_cast<std::size_t>(reach.left) * pixel);
  for (int y = -reach.above; y < height + reach.below; y = y == -1 ? height : y + 1)
    std::copy_n(row_at(border_position(y, height, border)) - before, stride, row_at(y) - before);
  const auto offsets = scratch.take<std::ptrdiff_t>(taps.size());
  const auto weights = scratch.take<double>(taps.size());
  for (std::size_t t = 0; t < taps.size(); ++t) {
    offsets[t] = taps[t].row * static_cast<std::ptrdiff_t>(stride) +
                 taps[t].column * static_cast<std::ptrdiff_t>(pixel);
    weights[t] = taps[t].weight;
  }
  for (int y = 0; y < height; ++y)
    sum_row(row_at(y), offsets.data(), weights.data(), taps.size(), lanes,
            out + static_cast<std::size_t>(y) * lanes);
}

}  // namespace noisymix
