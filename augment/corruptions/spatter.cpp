#include "augment/corruptions/spatter.h"

#include <algorithm>
#include <cstddef>

#include "augment/filters/canny.h"
#include "augment/filters/distance_transform.h"
#include "augment/filters/gaussian_filter.h"
#include "augment/filters/neighbourhood.h"
#include "augment/filters/random_fields.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

namespace {

constexpr double kTruncate = 4;  // of Gaussians, in sigmas
constexpr int kCannyLow = 50, kCannyHigh = 150;
constexpr std::int32_t kFarthest = 20 * kDistanceOne;
constexpr int kRelief[9] = {-2, -1, 0, -1, 1, 1, 0, 1, 2};
constexpr float kLeastMud = 0.8f;

using Color = float[3];
constexpr double kWaterColor[3] = {175, 238, 238}, kMudColor[3] = {63, 42, 20};

NM_VECTORISED(stretch, (float* NM_RESTRICT values, std::size_t n, float factor, float offset),
              (values, n, factor, offset)) {
  for (std::size_t i = 0; i < n; ++i) values[i] = offset + factor * values[i];
}

/// Values from `threshold` on as bytes; what exceeds a byte loses its upper bits, as in the benchmark.
template <class T>
[[gnu::always_inline]] inline void to_bytes(const T* NM_RESTRICT layer, std::size_t n, T threshold,
                                            std::uint8_t* NM_RESTRICT bytes) {
  for (std::size_t i = 0; i < n; ++i)
    bytes[i] = static_cast<std::uint8_t>(static_cast<int>(layer[i] < threshold ? T{0} : layer[i] * 255));
}
template <class T>
[[gnu::always_inline]] inline void to_mask(const T* NM_RESTRICT layer, std::size_t n, T threshold,
                                           float* NM_RESTRICT mask) {
  for (std::size_t i = 0; i < n; ++i) mask[i] = layer[i] > threshold ? 1.0f : 0.0f;
}
NM_VECTORISED(liquid_bytes, (const float* layer, std::size_t n, float threshold, std::uint8_t* bytes),
              (layer, n, threshold, bytes)) {
  to_bytes(layer, n, threshold, bytes);
}
NM_VECTORISED(liquid_bytes, (const double* layer, std::size_t n, double threshold, std::uint8_t* bytes),
              (layer, n, threshold, bytes)) {
  to_bytes(layer, n, threshold, bytes);
}
NM_VECTORISED(mud_mask, (const float* layer, std::size_t n, float threshold, float* mask),
              (layer, n, threshold, mask)) {
  to_mask(layer, n, threshold, mask);
}
NM_VECTORISED(mud_mask, (const double* layer, std::size_t n, double threshold, float* mask),
              (layer, n, threshold, mask)) {
  to_mask(layer, n, threshold, mask);
}

NM_VECTORISED(shorten, (std::int32_t * NM_RESTRICT distances, std::size_t n), (distances, n)) {
  for (std::size_t i = 0; i < n; ++i) distances[i] = distances[i] < kFarthest ? distances[i] : kFarthest;
}

/// Products of bytes, and the largest.
NM_VECTORISED(multiply,
              (const std::uint8_t* NM_RESTRICT a, const std::uint8_t* NM_RESTRICT b, std::size_t n,
               std::int32_t* NM_RESTRICT product, std::int32_t* largest),
              (a, b, n, product, largest)) {
  std::int32_t most = 0;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int32_t p = a[i] * b[i];
    product[i] = p;
    most = p > most ? p : most;
  }
  *largest = most;
}

NM_VECTORISED(scale_water,
              (const std::int32_t* NM_RESTRICT product, std::size_t n, float largest, float strength,
               float* NM_RESTRICT amount),
              (product, n, largest, strength, amount)) {
  for (std::size_t i = 0; i < n; ++i) amount[i] = static_cast<float>(product[i]) / largest * strength;
}

NM_VECTORISED(drop_faint, (float* NM_RESTRICT mask, std::size_t n), (mask, n)) {
  for (std::size_t i = 0; i < n; ++i) mask[i] = mask[i] < kLeastMud ? 0.0f : mask[i];
}

[[gnu::always_inline]] inline float clipped(float unit) {
  return (unit < 0.0f ? 0.0f : unit > 1.0f ? 1.0f : unit) * 255;
}

/// Unit value times (1 - `cover` amount) plus amount times colour, for pixels of `channels` values.
template <std::size_t kChannels>
[[gnu::always_inline]] inline void blend_pixels(const std::uint8_t* NM_RESTRICT pixels,
                                                const float* NM_RESTRICT amount, std::size_t n,
                                                const float* NM_RESTRICT color, float cover,
                                                float* NM_RESTRICT values) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t c = 0; c < kChannels; ++c) {
      const float unit = static_cast<float>(pixels[kChannels * i + c]) / 255;
      values[kChannels * i + c] = clipped(unit * (1 - cover * amount[i]) + amount[i] * color[c]);
    }
  }
}
NM_VECTORISED(blend,
              (const std::uint8_t* pixels, const float* amount, std::size_t n, int channels,
               const float* color, float cover, float* values),
              (pixels, amount, n, channels, color, cover, values)) {
  if (channels == 3)
    blend_pixels<3>(pixels, amount, n, color, cover, values);
  else
    blend_pixels<1>(pixels, amount, n, color, cover, values);
}

NM_VECTORISED(truncate, (const float* NM_RESTRICT values, std::size_t n, std::uint8_t* NM_RESTRICT bytes),
              (values, n, bytes)) {
  for (std::size_t i = 0; i < n; ++i) bytes[i] = static_cast<std::uint8_t>(static_cast<int>(values[i]));
}

/// Unit colour for each channel; its grey where there is but one.
void color_for(const double (&bytes)[3], int channels, Color& color) {
  for (std::size_t c = 0; c < 3; ++c) color[c] = static_cast<float>(bytes[c] / 255.0);
  if (channels == 1) color[0] = 0.299f * color[0] + 0.587f * color[1] + 0.114f * color[2];
}

/// How much water each pixel takes, from the layer in bytes.
void water_amount(const std::uint8_t* liquid, int height, int width, double strength, Scratch& scratch,
                  float* amount) {
  const Scratch::Frame frame(scratch);
  const auto n = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto edges = scratch.take<std::uint8_t>(n), relief = scratch.take<std::uint8_t>(n);
  const auto distances = scratch.take<std::int32_t>(n);
  canny_edges(liquid, height, width, kCannyLow, kCannyHigh, edges.data(), scratch);
  distance_transform(edges.data(), height, width, distances.data(), scratch);
  shorten(distances.data(), n);
  mean3x3_truncated(distances.data(), height, width, relief.data(), scratch);
  equalize_histogram(relief.data(), static_cast<int>(n));
  correlate3x3(relief.data(), height, width, kRelief, edges.data(), scratch);
  mean3x3_rounded(edges.data(), height, width, relief.data(), scratch);
  std::int32_t largest = 0;
  multiply(liquid, relief.data(), n, distances.data(), &largest);
  scale_water(distances.data(), n, static_cast<float>(std::max(largest, 1)), static_cast<float>(strength),
              amount);
}

class Spatter final : public Corruption {
 public:
  explicit Spatter(const SpatterConstants& constants) : constants_(constants) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const auto layer =
        scratch.take<float>(static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.width));
    draw_spatter(key, constants_, layer);
    spatter<float>(image, layer, constants_, scratch, out);
  }

 private:
  SpatterConstants constants_;
};

}  // namespace

SpatterConstants spatter_constants(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[spatter] the severity is 1 to 5, not ",
              severity);
  const auto& rows = set == ParameterSet::cifar           ? kSpatterCifar
                     : set == ParameterSet::tiny_imagenet ? kSpatterTinyImagenet
                                                          : kSpatterImagenet;
  return rows[severity - 1];
}

void draw_spatter(Key key, const SpatterConstants& constants, std::span<float> layer) {
  fill_normal(key, layer);
  stretch(layer.data(), layer.size(), static_cast<float>(constants.deviation),
          static_cast<float>(constants.mean));
}

template <class T>
void spatter_values(const Image& image, std::span<const T> layer, const SpatterConstants& constants,
                    Scratch& scratch, float* values) {
  const Scratch::Frame frame(scratch);
  const int height = image.height, width = image.width;
  const auto n = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  NM_CHECK(layer.size() == n, "[spatter] an image of ", height, " x ", width, " needs a layer of ", n,
           " values, not ", layer.size());
  const auto smooth = scratch.take<T>(n);
  const auto amount = scratch.take<float>(n);
  gaussian_filter(layer.data(), smooth.data(), height, width, 1, constants.blur, kTruncate, Border::nearest,
                  scratch);
  Color color;
  color_for(constants.mud ? kMudColor : kWaterColor, image.channels, color);
  const auto threshold = static_cast<T>(constants.threshold);
  if (constants.mud) {
    mud_mask(smooth.data(), n, threshold, amount.data());
    gaussian_filter(amount.data(), amount.data(), height, width, 1, constants.strength, kTruncate,
                    Border::nearest, scratch);
    drop_faint(amount.data(), n);
  } else {
    const auto liquid = scratch.take<std::uint8_t>(n);
    liquid_bytes(smooth.data(), n, threshold, liquid.data());
    water_amount(liquid.data(), height, width, constants.strength, scratch, amount.data());
  }
  blend(image.pixels.data(), amount.data(), n, image.channels, color, constants.mud ? 1.0f : 0.0f, values);
}

template <class T>
void spatter(const Image& image, std::span<const T> layer, const SpatterConstants& constants,
             Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<float>(image.pixels.size());
  spatter_values(image, layer, constants, scratch, values.data());
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  truncate(values.data(), values.size(), out.pixels.data());
}

template void spatter_values(const Image&, std::span<const float>, const SpatterConstants&, Scratch&, float*);
template void spatter_values(const Image&, std::span<const double>, const SpatterConstants&, Scratch&,
                             float*);
template void spatter(const Image&, std::span<const float>, const SpatterConstants&, Scratch&, Image&);
template void spatter(const Image&, std::span<const double>, const SpatterConstants&, Scratch&, Image&);

std::unique_ptr<Corruption> make_spatter(ParameterSet set, int severity) {
  return std::make_unique<Spatter>(spatter_constants(set, severity));
}

}  // namespace noisymix
