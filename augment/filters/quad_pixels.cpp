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

NM_VECTORISED(blend, (const float* NM_RESTRICT in, const QuadTaps& taps, int count, float* NM_RESTRICT out),
              (in, taps, count, out)) {
  const auto& o = taps.offset;
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

void blend_quads(const float* in, const QuadTaps& taps, int count, float* out) {
  blend(in, taps, count, out);
}

std::span<const int> take_positions(int first, int last, int size, Border border, int step,
                                    Scratch& scratch) {
  const auto table = scratch.take<int>(static_cast<std::size_t>(last - first + 1));
  for (int i = first; i <= last; ++i)
    table[static_cast<std::size_t>(i - first)] = border_position(i, size, border) * step;
  return table;
}

}  // namespace noisymix
