#include "augment/filters/map_coordinates.h"

#include <algorithm>
#include <cstddef>

#include "augment/filters/quad_pixels.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr float kFarthest = 1 << 20;

/// Whether all lie within +-kFarthest, and the whole numbers at or below the extremes.
NM_VECTORISED(find_range, (const float* NM_RESTRICT d, std::size_t n, bool* sound, int* least, int* most),
              (d, n, sound, least, most)) {
  int low = 1 << 21, high = -(1 << 21), bad = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const bool fits = d[i] > -kFarthest && d[i] < kFarthest;  // false for NaN
    bad += fits ? 0 : 1;
    const int cut = static_cast<int>(fits ? d[i] : 0.0f);
    low = cut < low ? cut : low;
    high = cut > high ? cut : high;
  }
  *sound = bad == 0;
  *least = low - 1;  // cutting rounds negative numbers up
  *most = high;
}

/// Entry 0 of the tables belongs to positions -shift_x and -shift_y, counted from the first of `count`
/// pixels.
NM_VECTORISED(make_taps,
              (const float* NM_RESTRICT dx, const float* NM_RESTRICT dy, const int* NM_RESTRICT across,
               int shift_x, const int* NM_RESTRICT down, int shift_y, int count, QuadTaps* NM_RESTRICT taps),
              (dx, dy, across, shift_x, down, shift_y, count, taps)) {
  for (int x = 0; x < count; ++x) {
    int left = static_cast<int>(dx[x]), top = static_cast<int>(dy[x]);
    left -= static_cast<float>(left) > dx[x] ? 1 : 0;
    top -= static_cast<float>(top) > dy[x] ? 1 : 0;
    const float right = dx[x] - static_cast<float>(left), bottom = dy[x] - static_cast<float>(top);
    const int column = x + left + shift_x, row = top + shift_y;
    taps->offset[0][x] = down[row] + across[column];
    taps->offset[1][x] = down[row] + across[column + 1];
    taps->offset[2][x] = down[row + 1] + across[column];
    taps->offset[3][x] = down[row + 1] + across[column + 1];
    taps->weight[0][x] = (1 - bottom) * (1 - right);
    taps->weight[1][x] = (1 - bottom) * right;
    taps->weight[2][x] = bottom * (1 - right);
    taps->weight[3][x] = bottom * right;
  }
}

}  // namespace

void map_coordinates(const float* in, const float* dx, const float* dy, float* out, int height, int width,
                     Scratch& scratch) {
  NM_CHECK(height >= 1 && width >= 1, "[map_coordinates] image is ", height, "x", width,
           ", expected positive sides");
  const Scratch::Frame frame(scratch);
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  bool sound_x, sound_y;
  int least_x, most_x, least_y, most_y;
  find_range(dx, pixels, &sound_x, &least_x, &most_x);
  find_range(dy, pixels, &sound_y, &least_y, &most_y);
  NM_CHECK(sound_x && sound_y, "[map_coordinates] displacements must be finite and below 2^20 pixels");
  const auto across = take_positions(least_x, width - 1 + most_x + 1, width, Border::reflect, 4, scratch);
  const auto down =
      take_positions(least_y, height - 1 + most_y + 1, height, Border::reflect, 4 * width, scratch);
  QuadTaps taps;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; x += QuadTaps::kMost) {
      const int count = std::min(QuadTaps::kMost, width - x);
      const std::size_t begin =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
      make_taps(dx + begin, dy + begin, across.data(), x - least_x, down.data(), y - least_y, count, &taps);
      blend_quads(in, taps, count, out + 4 * begin);
    }
  }
}

}  // namespace noisymix
