#include "augment/filters/canny.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "engine/cpu/vectorise.h"

namespace noisymix {

namespace {

constexpr std::uint8_t kNone = 0, kWeak = 1, kEdge = 2;

/// Gradient and its strength along one row of pixels, from rows that have one more value on either side.
NM_VECTORISED(sobel_row,
              (const std::uint8_t* NM_RESTRICT above, const std::uint8_t* NM_RESTRICT here,
               const std::uint8_t* NM_RESTRICT below, std::int16_t* NM_RESTRICT across,
               std::int16_t* NM_RESTRICT down, std::int16_t* NM_RESTRICT strength, std::size_t width),
              (above, here, below, across, down, strength, width)) {
  for (std::size_t x = 0; x < width; ++x) {
    const int gx = (above[x + 2] - above[x]) + 2 * (here[x + 2] - here[x]) + (below[x + 2] - below[x]);
    const int gy =
        (below[x] + 2 * below[x + 1] + below[x + 2]) - (above[x] + 2 * above[x + 1] + above[x + 2]);
    across[x] = static_cast<std::int16_t>(gx);
    down[x] = static_cast<std::int16_t>(gy);
    strength[x] = static_cast<std::int16_t>((gx < 0 ? -gx : gx) + (gy < 0 ? -gy : gy));
  }
}

/// kNone, kWeak or kEdge for one row: `here` and its neighbours are strengths at the row's first pixel, with
/// one more value on either side.
NM_VECTORISED(suppress_row,
              (const std::int16_t* NM_RESTRICT above, const std::int16_t* NM_RESTRICT here,
               const std::int16_t* NM_RESTRICT below, const std::int16_t* NM_RESTRICT across,
               const std::int16_t* NM_RESTRICT down, std::size_t width, int low, int high,
               std::uint8_t* NM_RESTRICT kind),
              (above, here, below, across, down, width, low, high, kind)) {
  constexpr int kTangent = 13573;  // of 22.5 degrees, in 1 / 32768; that of 67.5 degrees is 2 more
  for (std::size_t x = 0; x < width; ++x) {
    const int gx = across[x], gy = down[x];
    const int wide = gx < 0 ? -gx : gx, high_side = (gy < 0 ? -gy : gy) * 32768;
    const int flat = wide * kTangent, steep = flat + wide * 65536;
    const int s = here[x + 1];
    const bool along_row = high_side<flat, along_column = high_side> steep;
    const bool falling = (gx ^ gy) < 0;
    const int before = along_row ? here[x] : along_column ? above[x + 1] : falling ? above[x + 2] : above[x];
    const int after = along_row      ? here[x + 2]
                      : along_column ? below[x + 1]
                      : falling      ? below[x]
                                     : below[x + 2];
    const int tie = along_row | along_column;  // equal to `after` is enough
    const bool keep = (s > low) & (s > before) & (s + tie > after);
    kind[x] = static_cast<std::uint8_t>(keep ? (s > high ? kEdge : kWeak) : kNone);
  }
}

/// Makes edges of the weak pixels that touch one; rows of `kinds` have a margin of one pixel.
void spread_edges(std::uint8_t* kinds, std::size_t height, std::size_t stride, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto open = scratch.take<std::uint32_t>(height * stride);  // a pixel enters at most once
  std::size_t count = 0;
  for (std::size_t i = stride; i < (height + 1) * stride; ++i) {
    open[count] = static_cast<std::uint32_t>(i);
    count += kinds[i] == kEdge ? 1 : 0;
  }
  const std::ptrdiff_t down = static_cast<std::ptrdiff_t>(stride);
  const std::ptrdiff_t neighbours[] = {-down - 1, -down, -down + 1, -1, 1, down - 1, down, down + 1};
  while (count > 0) {
    std::uint8_t* pixel = kinds + open[--count];
    for (const std::ptrdiff_t offset : neighbours) {
      if (pixel[offset] != kWeak) continue;
      pixel[offset] = kEdge;
      open[count++] = static_cast<std::uint32_t>(pixel + offset - kinds);
    }
  }
}

}  // namespace

void canny_edges(const std::uint8_t* image, int height, int width, int low, int high, std::uint8_t* out,
                 Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto h = static_cast<std::size_t>(height), w = static_cast<std::size_t>(width);
  const std::size_t stride = w + 2, padded = (h + 2) * stride;
  const auto pixels = scratch.take<std::uint8_t>(padded), kinds = scratch.take<std::uint8_t>(padded);
  const auto strength = scratch.take<std::int16_t>(padded), across = scratch.take<std::int16_t>(h * w),
             down = scratch.take<std::int16_t>(h * w);
  for (std::size_t y = 0; y < h + 2; ++y) {
    const std::uint8_t* from = image + std::clamp<std::size_t>(y, 1, h) * w - w;
    std::uint8_t* to = pixels.data() + y * stride;
    std::memcpy(to + 1, from, w);
    to[0] = from[0];
    to[w + 1] = from[w - 1];
  }
  std::fill(strength.begin(), strength.end(), std::int16_t{0});
  std::fill(kinds.begin(), kinds.end(), kNone);
  for (std::size_t y = 0; y < h; ++y) {
    const std::uint8_t* above = pixels.data() + y * stride;
    sobel_row(above, above + stride, above + 2 * stride, across.data() + y * w, down.data() + y * w,
              strength.data() + (y + 1) * stride + 1, w);
  }
  for (std::size_t y = 0; y < h; ++y) {
    const std::int16_t* above = strength.data() + y * stride;
    suppress_row(above, above + stride, above + 2 * stride, across.data() + y * w, down.data() + y * w, w,
                 low, high, kinds.data() + (y + 1) * stride + 1);
  }
  spread_edges(kinds.data(), h, stride, scratch);
  for (std::size_t y = 0; y < h; ++y) {
    const std::uint8_t* kind = kinds.data() + (y + 1) * stride + 1;
    for (std::size_t x = 0; x < w; ++x) out[y * w + x] = kind[x] == kEdge ? 255 : 0;
  }
}

}  // namespace noisymix
