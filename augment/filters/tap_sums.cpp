// Correlation with a list of taps, vector by vector of one row, so that sums stay in registers.
#include "augment/filters/tap_sums.h"

#include <algorithm>

#include "augment/filters/unit_values.h"
#include "augment/filters/wide_doubles.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// One row: out[i] = sum over taps of weights[t] in[offsets[t] + i].
template <class V>
inline __attribute__((always_inline)) void sum_row_body(const double* in, const std::ptrdiff_t* offsets,
                                                        const double* weights, std::size_t taps,
                                                        std::size_t lanes, double* out) {
  using Doubles = typename V::type;
  std::size_t i = 0;
  for (; i + 4 * V::kLanes <= lanes; i += 4 * V::kLanes) {
    Doubles a{}, b{}, c{}, d{};
    for (std::size_t t = 0; t < taps; ++t) {
      const double* from = in + offsets[t] + i;
      a += load_vector<Doubles>(from) * weights[t];
      b += load_vector<Doubles>(from + V::kLanes) * weights[t];
      c += load_vector<Doubles>(from + 2 * V::kLanes) * weights[t];
      d += load_vector<Doubles>(from + 3 * V::kLanes) * weights[t];
    }
    store_vector(out + i, a);
    store_vector(out + i + V::kLanes, b);
    store_vector(out + i + 2 * V::kLanes, c);
    store_vector(out + i + 3 * V::kLanes, d);
  }
  for (; i + V::kLanes <= lanes; i += V::kLanes) {
    Doubles a{};
    for (std::size_t t = 0; t < taps; ++t) a += load_vector<Doubles>(in + offsets[t] + i) * weights[t];
    store_vector(out + i, a);
  }
  for (; i < lanes; ++i) {
    double sum = 0;
    for (std::size_t t = 0; t < taps; ++t)
      sum += in[offsets[t] + static_cast<std::ptrdiff_t>(i)] * weights[t];
    out[i] = sum;
  }
}

/// Consecutive rows, `stride` apart in the input.
NM_VECTORISED(sum_rows_wide,
              (const double* in, std::size_t rows, std::size_t stride, const std::ptrdiff_t* offsets,
               const double* weights, std::size_t taps, std::size_t lanes, double* out),
              (in, rows, stride, offsets, weights, taps, lanes, out)) {
  for (std::size_t y = 0; y < rows; ++y)
    sum_row_body<EightDoubles>(in + y * stride, offsets, weights, taps, lanes, out + y * lanes);
}
NM_VECTORISED(sum_rows,
              (const double* in, std::size_t rows, std::size_t stride, const std::ptrdiff_t* offsets,
               const double* weights, std::size_t taps, std::size_t lanes, double* out),
              (in, rows, stride, offsets, weights, taps, lanes, out)) {
  for (std::size_t y = 0; y < rows; ++y)
    sum_row_body<FourDoubles>(in + y * stride, offsets, weights, taps, lanes, out + y * lanes);
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

/// A pixel outside a row and the one that stands for it, as offsets from the row's first value.
struct Outside {
  std::ptrdiff_t to, from;
};

template <int kChannels>
void widen_row(double* row, std::span<const Outside> pixels) {
  for (const auto& pixel : pixels)
    for (int c = 0; c < kChannels; ++c) row[pixel.to + c] = row[pixel.from + c];
}

}  // namespace

void sum_taps(const std::uint8_t* in, int height, int width, int channels, const double* table,
              std::span<const Tap> taps, Border border, double* out, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  NM_CHECK(channels == 1 || channels == 3, "[sum_taps] ", channels, " channels, expected 1 or 3");
  const Reach reach = reach_of(taps);
  const auto pixel = static_cast<std::size_t>(channels), lanes = static_cast<std::size_t>(width) * pixel;
  const auto stride = static_cast<std::size_t>(reach.left + width + reach.right) * pixel;
  const auto widened =
      scratch.take<double>(static_cast<std::size_t>(reach.above + height + reach.below) * stride);
  double* first = widened.data() + static_cast<std::size_t>(reach.above) * stride +
                  static_cast<std::size_t>(reach.left) * pixel;
  const auto row_at = [&](int y) { return first + y * static_cast<std::ptrdiff_t>(stride); };
  const auto outside = scratch.take<Outside>(static_cast<std::size_t>(reach.left + reach.right));
  auto* put = outside.data();
  for (int x = -reach.left; x < width + reach.right; x = x == -1 ? width : x + 1)
    if (x < 0 || x >= width) *put++ = {x * channels, border_position(x, width, border) * channels};
  for (int y = 0; y < height; ++y) {
    look_up(in + static_cast<std::size_t>(y) * lanes, lanes, table, row_at(y));
    if (channels == 3)
      widen_row<3>(row_at(y), outside);
    else
      widen_row<1>(row_at(y), outside);
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
  (has_eight_doubles() ? sum_rows_wide : sum_rows)(first, static_cast<std::size_t>(height), stride,
                                                   offsets.data(), weights.data(), taps.size(), lanes, out);
}

}  // namespace noisymix
