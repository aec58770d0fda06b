#include "augment/filters/quad_pixels.h"

#include <cstdint>

#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

NM_VECTORISED(to_unit, (const std::uint8_t* NM_RESTRICT bytes, std::size_t n, float* NM_RESTRICT out),
              (bytes, n, out)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(bytes[i]) / 255.0f;
}

NM_VECTORISED(to_bytes_range, (float* NM_RESTRICT values, std::size_t n), (values, n)) {
  for (std::size_t i = 0; i < n; ++i) {
    const float v = values[i];
    values[i] = (v < 0 ? 0.0f : (v > 1 ? 1.0f : v)) * 255.0f;
  }
}

/// Where the four pixels of a sum begin, in floats.
struct Offsets {
  alignas(64) int of[4][QuadTaps::kMost];
};

/// Positions less than a side outside are folded back once; false where some lie farther. `repeat` is 1 if
/// the edge is repeated, else 0.
NM_VECTORISED(fold_once,
              (const QuadTaps& taps, int count, int height, int width, int repeat,
               Offsets* NM_RESTRICT offsets, bool* NM_RESTRICT near_enough),
              (taps, count, height, width, repeat, offsets, near_enough)) {
  const int end_x = 2 * width - 2, end_y = 2 * height - 2;
  int far = 0;
  for (int i = 0; i < count; ++i) {
    const int x = taps.left[i], y = taps.top[i];
    far |= (x < 1 - width) | (x >= end_x) | (y < 1 - height) | (y >= end_y);
    int x0 = x < 0 ? -repeat - x : x, x1 = x < -1 ? -repeat - 1 - x : x + 1;
    int y0 = y < 0 ? -repeat - y : y, y1 = y < -1 ? -repeat - 1 - y : y + 1;
    x0 = x0 >= width ? end_x + repeat - x0 : x0;
    x1 = x1 >= width ? end_x + repeat - x1 : x1;
    y0 = y0 >= height ? end_y + repeat - y0 : y0;
    y1 = y1 >= height ? end_y + repeat - y1 : y1;
    offsets->of[0][i] = 4 * (y0 * width + x0);
    offsets->of[1][i] = 4 * (y0 * width + x1);
    offsets->of[2][i] = 4 * (y1 * width + x0);
    offsets->of[3][i] = 4 * (y1 * width + x1);
  }
  *near_enough = far == 0;
}

void fold_far(const QuadTaps& taps, int count, int height, int width, Border border, Offsets& offsets) {
  for (int i = 0; i < count; ++i)
    for (int k = 0; k < 4; ++k)
      offsets.of[k][i] = 4 * (border_position(taps.top[i] + k / 2, height, border) * width +
                              border_position(taps.left[i] + k % 2, width, border));
}

NM_VECTORISED(blend,
              (const float* NM_RESTRICT in, const Offsets& offsets, const QuadTaps& taps, int count,
               float* NM_RESTRICT out),
              (in, offsets, taps, count, out)) {
  const auto& o = offsets.of;
  const auto& w = taps.weight;
  for (int x = 0; x < count; ++x) {
    Quad p0, p1, p2, p3;
    std::memcpy(&p0, in + o[0][x], sizeof(Quad));
    std::memcpy(&p1, in + o[1][x], sizeof(Quad));
    std::memcpy(&p2, in + o[2][x], sizeof(Quad));
    std::memcpy(&p3, in + o[3][x], sizeof(Quad));
    const Quad sum = p0 * w[0][x] + p1 * w[1][x] + p2 * w[2][x] + p3 * w[3][x];
    std::memcpy(out + 4 * x, &sum, sizeof(Quad));
  }
}

}  // namespace

void to_quads(const Image& image, float* quads, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const std::size_t n = image.pixels.size(), channels = static_cast<std::size_t>(image.channels);
  float* const unit = scratch.take<float>(n + 4).data();
  to_unit(image.pixels.data(), n, unit);
  for (std::size_t i = n; i < n + 4; ++i) unit[i] = 0;
  // Four floats are moved for three; the fourth belongs to the next pixel and is never looked at.
  if (channels == 3)
    for (std::size_t i = 0; i < n / 3; ++i) std::memcpy(quads + 4 * i, unit + 3 * i, sizeof(Quad));
  else
    for (std::size_t i = 0; i < n; ++i) {
      quads[4 * i] = unit[i];
      quads[4 * i + 1] = quads[4 * i + 2] = quads[4 * i + 3] = 0;
    }
}

void from_quads(const float* quads, std::size_t count, int channels, float* values) {
  if (channels == 3)
    for (std::size_t i = 0; i < count; ++i) std::memcpy(values + 3 * i, quads + 4 * i, sizeof(Quad));
  else
    for (std::size_t i = 0; i < count; ++i) values[i] = quads[4 * i];
  to_bytes_range(values, count * static_cast<std::size_t>(channels));
}

void blend_quads(const float* in, int height, int width, Border border, const QuadTaps& taps, int count,
                 float* out) {
  Offsets offsets;
  bool near_enough = false;
  if (border != Border::nearest)
    fold_once(taps, count, height, width, border == Border::reflect ? 1 : 0, &offsets, &near_enough);
  if (!near_enough) fold_far(taps, count, height, width, border, offsets);
  blend(in, offsets, taps, count, out);
}

}  // namespace noisymix
