#include "augment/interpolation.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

NM_VECTORISED(to_floats, (float* NM_RESTRICT out, const std::uint8_t* NM_RESTRICT bytes, std::size_t n),
              (out, bytes, n)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<float>(bytes[i]);
}

NM_VECTORISED(to_bytes,
              (std::uint8_t * NM_RESTRICT out, const std::int32_t* NM_RESTRICT values, std::size_t n),
              (out, values, n)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<std::uint8_t>(values[i]);
}

}  // namespace

void Interpolation::start(const Image& image) {
  const std::size_t n = image.stride(), channels = static_cast<std::size_t>(image.channels);
  stride = n + 2 * channels;
  source.resize(static_cast<std::size_t>(image.height + 2) * stride + kSpill);
  values.resize(image.pixels.size() + kSpill);
  doubtful.clear();
  const auto row = [&](int y) { return source.data() + static_cast<std::size_t>(y + 1) * stride; };
  for (int y = 0; y < image.height; ++y) {
    float* to = row(y);
    to_floats(to + channels, image.row(y), n);
    for (std::size_t c = 0; c < channels; ++c) {
      to[c] = to[channels + c];
      to[channels + n + c] = to[n + c];
    }
  }
  std::memcpy(row(-1), row(0), stride * sizeof(float));
  std::memcpy(row(image.height), row(image.height - 1), stride * sizeof(float));
}

void Interpolation::finish(const Image& image, Image& out, const AffineMatrix& matrix) const {
  to_bytes(out.pixels.data(), values.data(), out.pixels.size());
  for (const int y : doubtful) affine_row_exact(image, out, matrix, y, 0, image.width);
}

Interpolation& interpolation() {
  thread_local Interpolation work;
  return work;
}

}  // namespace noisymix
