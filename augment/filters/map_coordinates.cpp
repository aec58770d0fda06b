#include "augment/filters/map_coordinates.h"

#include <algorithm>
#include <cstddef>

#include "augment/filters/quad_pixels.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr float kFarthest = 1 << 20;

/// Whether all lie within +-kFarthest; NaN does not.
NM_VECTORISED(all_near, (const float* NM_RESTRICT d, std::size_t n, bool* result), (d, n, result)) {
  int bad = 0;
  for (std::size_t i = 0; i < n; ++i) bad |= d[i] > -kFarthest && d[i] < kFarthest ? 0 : 1;
  *result = bad == 0;
}

/// For `count` pixels from (y, first_x) on; `dx` and `dy` begin there.
NM_VECTORISED(make_taps,
              (const float* NM_RESTRICT dx, const float* NM_RESTRICT dy, int first_x, int y, int count,
               QuadTaps* NM_RESTRICT taps),
              (dx, dy, first_x, y, count, taps)) {
  for (int i = 0; i < count; ++i) {
    int left = static_cast<int>(dx[i]), top = static_cast<int>(dy[i]);  // cut; negative ones round up
    left -= static_cast<float>(left) > dx[i] ? 1 : 0;
    top -= static_cast<float>(top) > dy[i] ? 1 : 0;
    const float right = dx[i] - static_cast<float>(left), bottom = dy[i] - static_cast<float>(top);
    taps->left[i] = first_x + i + left;
    taps->top[i] = y + top;
    taps->weight[0][i] = (1 - bottom) * (1 - right);
    taps->weight[1][i] = (1 - bottom) * right;
    taps->weight[2][i] = bottom * (1 - right);
    taps->weight[3][i] = bottom * right;
  }
}

}  // namespace

void map_coordinates(const float* in, const float* dx, const float* dy, float* out, int height, int width) {
  NM_CHECK(height >= 1 && width >= 1, "[map_coordinates] image is ", height, "x", width,
           ", expected positive sides");
  const auto pixels = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  bool near_x = false, near_y = false;
  all_near(dx, pixels, &near_x);
  all_near(dy, pixels, &near_y);
  NM_CHECK(near_x && near_y, "[map_coordinates] displacements must be finite and below 2^20 pixels");
  QuadTaps taps;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; x += QuadTaps::kMost) {
      const int count = std::min(QuadTaps::kMost, width - x);
      const std::size_t begin =
          static_cast<std::size_t>(y) * static_cast<std::size_t>(width) + static_cast<std::size_t>(x);
      make_taps(dx + begin, dy + begin, x, y, count, &taps);
      blend_quads(in, height, width, Border::reflect, taps, count, out + 4 * begin);
    }
  }
}

}  // namespace noisymix
