#include "augment/corruptions/snow.h"

#include <algorithm>

#include "augment/filters/clipped_zoom.h"
#include "augment/filters/motion_filter.h"
#include "augment/filters/random_fields.h"
#include "augment/filters/unit_values.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class Snow final : public Corruption {
 public:
  explicit Snow(const SnowRow& row) : row_(row) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    snow(image, draw_snow(key, image.height, image.width, row_, scratch), row_, scratch, out);
  }

 private:
  SnowRow row_;
};

NM_VECTORISED(shift_and_scale,
              (const float* NM_RESTRICT normal, std::size_t count, double loc, double scale,
               double* NM_RESTRICT out),
              (normal, count, loc, scale, out)) {
  for (std::size_t i = 0; i < count; ++i) out[i] = loc + scale * static_cast<double>(normal[i]);
}

NM_VECTORISED(flakes_to_bytes,
              (const double* NM_RESTRICT layer, std::size_t count, double threshold,
               std::uint8_t* NM_RESTRICT out),
              (layer, count, threshold, out)) {
  for (std::size_t i = 0; i < count; ++i) {
    const double flake = layer[i] < threshold || layer[i] < 0 ? 0 : layer[i];
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>((flake < 1 ? flake : 1) * 255));
  }
}

/// Greys of the layer and its half turn, added to the whitened image in double precision.
/// (mix and rest are single precision because the image is.)
inline double snowed(float unit, float grey, float mix, float rest, double layer, double turned) {
  const float white = grey * 1.5f + 0.5f;
  const float whitened = mix * unit + rest * std::max(unit, white);
  return static_cast<double>(whitened) + layer + turned;
}

}  // namespace

SnowDraws draw_snow(Key key, int height, int width, const SnowRow& row, Scratch& scratch) {
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto layer = scratch.take<double>(count);
  const Scratch::Frame frame(scratch);
  const auto normal = scratch.take<float>(count);
  fill_normal(key.child("layer"), normal);
  shift_and_scale(normal.data(), count, row.loc, row.scale, layer.data());
  return {layer, -135 + 90 * key.child("angle").uniform(0)};
}

float snow_grey(float red, float green, float blue) {
  return red * 0.299f + green * 0.587f + blue * 0.114f;
}

void snow(const Image& image, const SnowDraws& draws, const SnowRow& row, Scratch& scratch, double* values) {
  const Scratch::Frame frame(scratch);
  const int height = image.height, width = image.width;
  const auto count = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  NM_CHECK(draws.layer.size() == count, "[snow] the layer has ", draws.layer.size(),
           " values, expected one per pixel, ", count);
  const auto zoomed = scratch.take<double>(count);
  clipped_zoom(draws.layer.data(), zoomed.data(), height, width, 1, row.zoom, scratch);
  const auto flakes = scratch.take<std::uint8_t>(count);
  flakes_to_bytes(zoomed.data(), count, row.threshold, flakes.data());
  motion_filter(flakes.data(), flakes.data(), height, width, 1, row.radius, row.sigma, draws.degrees,
                scratch);
  const auto mix = static_cast<float>(row.mix), rest = static_cast<float>(1 - row.mix);
  const double* table = unit_table();
  const std::uint8_t* pixel = image.pixels.data();
  double* put = values;
  for (std::size_t i = 0; i < count; ++i) {
    const double layer = table[flakes[i]], turned = table[flakes[count - 1 - i]];
    float unit[3] = {};
    for (int c = 0; c < image.channels; ++c) unit[c] = static_cast<float>(*pixel++) / 255;
    const float grey = image.channels == 3 ? snow_grey(unit[0], unit[1], unit[2]) : unit[0];
    for (int c = 0; c < image.channels; ++c) *put++ = snowed(unit[c], grey, mix, rest, layer, turned);
  }
  to_grey_levels(values, image.pixels.size());
}

void snow(const Image& image, const SnowDraws& draws, const SnowRow& row, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<double>(image.pixels.size());
  snow(image, draws, row, scratch, values.data());
  shape_like(image, out);
  truncate_to_bytes(values.data(), values.size(), out.pixels.data());
}

std::unique_ptr<Corruption> make_snow(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[snow] severity is ", severity,
              ", expected 1 to 5");
  return std::make_unique<Snow>(kSnow[static_cast<std::size_t>(set)][severity - 1]);
}

}  // namespace noisymix
