#include "augment/filters/distance_transform.h"

#include <algorithm>
#include <cstddef>

#include "engine/cpu/vectorise.h"

namespace noisymix {

namespace {

constexpr std::int32_t kSide = kDistanceOne, kDiagonal = 91750, kKnight = 143976;  // 1, 1.4, 2.1969
constexpr std::size_t kMargin = 2;

[[gnu::always_inline]] inline std::int32_t smaller(std::int32_t a, std::int32_t b) {
  return a < b ? a : b;
}

/// Shortens distances by steps from the row `near` rows away and the one beyond it; every row has kMargin
/// far values at both ends.
NM_VECTORISED(from_rows,
              (std::int32_t * NM_RESTRICT row, const std::int32_t* NM_RESTRICT near,
               const std::int32_t* NM_RESTRICT beyond, std::size_t width),
              (row, near, beyond, width)) {
  for (std::size_t x = 0; x < width; ++x) {
    const std::int32_t diagonal = smaller(near[x + 1], near[x + 3]) + kDiagonal;
    const std::int32_t knight =
        smaller(smaller(near[x], near[x + 4]), smaller(beyond[x + 1], beyond[x + 3])) + kKnight;
    const std::int32_t best = smaller(smaller(near[x + 2] + kSide, diagonal), knight);
    row[x + 2] = smaller(row[x + 2], best);
  }
}

}  // namespace

void distance_transform(const std::uint8_t* marked, int height, int width, std::int32_t* out,
                        Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto h = static_cast<std::size_t>(height), w = static_cast<std::size_t>(width);
  const std::size_t stride = w + 2 * kMargin;
  const auto distances = scratch.take<std::int32_t>((h + 2 * kMargin) * stride);
  std::fill(distances.begin(), distances.end(), kDistanceFar);
  const auto row = [&](std::size_t y) { return distances.data() + (y + kMargin) * stride; };
  for (std::size_t y = 0; y < h; ++y) {
    std::int32_t* here = row(y);
    for (std::size_t x = 0; x < w; ++x) here[x + kMargin] = marked[y * w + x] != 0 ? 0 : kDistanceFar;
    from_rows(here, here - stride, here - 2 * stride, w);
    std::int32_t left = kDistanceFar;
    for (std::size_t x = kMargin; x < w + kMargin; ++x) here[x] = left = std::min(here[x], left + kSide);
  }
  for (std::size_t y = h; y-- > 0;) {
    std::int32_t* here = row(y);
    from_rows(here, here + stride, here + 2 * stride, w);
    std::int32_t right = kDistanceFar;
    for (std::size_t x = w + kMargin; x-- > kMargin;) here[x] = right = std::min(here[x], right + kSide);
    for (std::size_t x = 0; x < w; ++x) out[y * w + x] = std::min(here[x + kMargin], kDistanceFar);
  }
}

}  // namespace noisymix
