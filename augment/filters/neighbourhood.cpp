#include "augment/filters/neighbourhood.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>

#include "augment/filters/gaussian_filter.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {

namespace {

/// A copy with one mirrored pixel on every side.
template <class T>
std::span<T> mirrored(const T* in, std::size_t height, std::size_t width, Scratch& scratch) {
  const auto copy = scratch.take<T>((height + 2) * (width + 2));
  for (std::size_t y = 0; y < height + 2; ++y) {
    const auto source = static_cast<std::size_t>(
        border_position(static_cast<int>(y) - 1, static_cast<int>(height), Border::mirror));
    const T* from = in + source * width;
    T* to = copy.data() + y * (width + 2);
    std::memcpy(to + 1, from, width * sizeof(T));
    to[0] = from[1];
    to[width + 1] = from[width - 2];
  }
  return copy;
}

NM_VECTORISED(truncated_row,
              (const std::int32_t* NM_RESTRICT rows, std::size_t width, std::uint8_t* NM_RESTRICT out),
              (rows, width, out)) {
  const std::int32_t* above = rows;
  const std::int32_t* here = rows + width + 2;
  const std::int32_t* below = here + width + 2;
  for (std::size_t x = 0; x < width; ++x) {
    const std::int32_t sum = (above[x] + above[x + 1] + above[x + 2]) +
                             (here[x] + here[x + 1] + here[x + 2]) + (below[x] + below[x + 1] + below[x + 2]);
    const std::int32_t mean = (sum >> 16) / 9;  // the same as sum / 9 >> 16
    out[x] = static_cast<std::uint8_t>(mean < 255 ? mean : 255);
  }
}

NM_VECTORISED(rounded_row,
              (const std::uint8_t* NM_RESTRICT rows, std::size_t width, std::uint8_t* NM_RESTRICT out),
              (rows, width, out)) {
  const std::uint8_t* above = rows;
  const std::uint8_t* here = rows + width + 2;
  const std::uint8_t* below = here + width + 2;
  for (std::size_t x = 0; x < width; ++x) {
    const int sum = (above[x] + above[x + 1] + above[x + 2]) + (here[x] + here[x + 1] + here[x + 2]) +
                    (below[x] + below[x + 1] + below[x + 2]);
    out[x] = static_cast<std::uint8_t>((sum + 4) / 9);  // ninths have no ties
  }
}

NM_VECTORISED(correlate_row,
              (const std::uint8_t* NM_RESTRICT rows, std::size_t width,
               const std::int16_t* NM_RESTRICT weights, std::uint8_t* NM_RESTRICT out),
              (rows, width, weights, out)) {
  const std::uint8_t* above = rows;
  const std::uint8_t* here = rows + width + 2;
  const std::uint8_t* below = here + width + 2;
  for (std::size_t x = 0; x < width; ++x) {
    const int sum = weights[0] * above[x] + weights[1] * above[x + 1] + weights[2] * above[x + 2] +
                    weights[3] * here[x] + weights[4] * here[x + 1] + weights[5] * here[x + 2] +
                    weights[6] * below[x] + weights[7] * below[x + 1] + weights[8] * below[x + 2];
    out[x] = static_cast<std::uint8_t>(sum < 0 ? 0 : sum > 255 ? 255 : sum);
  }
}

/// Calls row(three padded rows, one row of out) for every row.
template <class T, class Row>
void for_each_row(const T* in, int height, int width, std::uint8_t* out, Scratch& scratch, const Row& row) {
  const Scratch::Frame frame(scratch);
  const auto h = static_cast<std::size_t>(height), w = static_cast<std::size_t>(width);
  const auto padded = mirrored(in, h, w, scratch);
  for (std::size_t y = 0; y < h; ++y) row(padded.data() + y * (w + 2), w, out + y * w);
}

}  // namespace

void mean3x3_truncated(const std::int32_t* in, int height, int width, std::uint8_t* out, Scratch& scratch) {
  for_each_row(in, height, width, out, scratch,
               [](const std::int32_t* rows, std::size_t w, std::uint8_t* to) { truncated_row(rows, w, to); });
}

void mean3x3_rounded(const std::uint8_t* in, int height, int width, std::uint8_t* out, Scratch& scratch) {
  for_each_row(in, height, width, out, scratch,
               [](const std::uint8_t* rows, std::size_t w, std::uint8_t* to) { rounded_row(rows, w, to); });
}

void correlate3x3(const std::uint8_t* in, int height, int width, const int (&weights)[9], std::uint8_t* out,
                  Scratch& scratch) {
  std::int16_t narrow[9];
  std::transform(weights, weights + 9, narrow, [](int v) { return static_cast<std::int16_t>(v); });
  for_each_row(
      in, height, width, out, scratch,
      [&](const std::uint8_t* rows, std::size_t w, std::uint8_t* to) { correlate_row(rows, w, narrow, to); });
}

void equalize_histogram(std::uint8_t* pixels, int count) {
  std::array<std::array<int, 256>, 2> counts{};  // two, so that equal neighbours do not wait for each other
  for (int i = 0; i < count; ++i) ++counts[static_cast<std::size_t>(i & 1)][pixels[i]];
  const auto of_level = [&](std::size_t level) { return counts[0][level] + counts[1][level]; };
  std::size_t lowest = 0;
  while (lowest < 255 && of_level(lowest) == 0) ++lowest;
  const int others = count - of_level(lowest);
  if (others == 0) return;
  const float scale = 255.0f / static_cast<float>(others);
  std::array<std::uint8_t, 256> table{};
  int sum = 0;
  for (std::size_t level = lowest + 1; level < 256 && sum < others; ++level) {
    sum += of_level(level);
    table[level] = static_cast<std::uint8_t>(std::min(255L, std::lrint(static_cast<float>(sum) * scale)));
  }
  for (int i = 0; i < count; ++i) pixels[i] = table[pixels[i]];
}

}  // namespace noisymix
