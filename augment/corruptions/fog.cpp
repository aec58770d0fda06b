#include "augment/corruptions/fog.h"

#include <algorithm>
#include <cstddef>

#include "augment/filters/plasma.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

namespace {

NM_VECTORISED(largest_byte, (const std::uint8_t* NM_RESTRICT pixels, std::size_t n, std::uint8_t* result),
              (pixels, n, result)) {
  std::uint8_t largest = 0;
  for (std::size_t i = 0; i < n; ++i) largest = pixels[i] > largest ? pixels[i] : largest;
  *result = largest;
}

/// One row: bytes times `gain` plus density times `thickness`, cut off to bytes.
NM_VECTORISED(fog_row,
              (const std::uint8_t* NM_RESTRICT in, const float* NM_RESTRICT density, std::size_t width,
               std::size_t channels, float gain, float thickness, float* NM_RESTRICT wide,
               std::uint8_t* NM_RESTRICT out),
              (in, density, width, channels, gain, thickness, wide, out)) {
  if (channels == 3) {
    for (std::size_t x = 0; x < width; ++x) wide[3 * x] = wide[3 * x + 1] = wide[3 * x + 2] = density[x];
    density = wide;
  }
  for (std::size_t i = 0; i < channels * width; ++i) {
    const float v = static_cast<float>(in[i]) * gain + density[i] * thickness;
    out[i] = static_cast<std::uint8_t>(static_cast<int>(v < 255.0f ? v : 255.0f));
  }
}

std::uint8_t largest_of(const Image& image) {
  std::uint8_t largest = 0;
  largest_byte(image.pixels.data(), image.pixels.size(), &largest);
  return largest;
}

void check_grid(const Image& image, int side) {
  NM_CHECK(image.height <= side && image.width <= side, "[fog] a plasma of side ", side,
           " does not cover an image of ", image.height, " x ", image.width);
}

class Fog final : public Corruption {
 public:
  Fog(ParameterSet set, int severity) : set_(set), constants_(fog_constants(set, severity)) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const int side = fog_grid_side(set_, image.height, image.width);
    const auto amounts = scratch.take<float>(plasma_amounts(side));
    draw_fog(key, side, constants_, amounts);
    fog(image, amounts, side, constants_, scratch, out);
  }

 private:
  ParameterSet set_;
  FogConstants constants_;
};

}  // namespace

FogConstants fog_constants(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[fog] the severity is 1 to 5, not ",
              severity);
  const auto& rows = set == ParameterSet::cifar           ? kFogCifar
                     : set == ParameterSet::tiny_imagenet ? kFogTinyImagenet
                                                          : kFogImagenet;
  return rows[severity - 1];
}

int fog_grid_side(ParameterSet set, int height, int width) {
  int side = set == ParameterSet::cifar ? 32 : set == ParameterSet::tiny_imagenet ? 64 : 256;
  while (side < std::max(height, width)) side *= 2;
  return side;
}

void draw_fog(Key key, int grid_side, const FogConstants& constants, std::span<float> amounts) {
  draw_plasma(key, grid_side, constants.decay, amounts);
}

void fog_values(const Image& image, std::span<const double> amounts, int grid_side,
                const FogConstants& constants, Scratch& scratch, double* values) {
  check_grid(image, grid_side);
  const Scratch::Frame frame(scratch);
  const auto side = static_cast<std::size_t>(grid_side);
  const auto plasma = scratch.take<double>(side * side);
  plasma_fractal(amounts, grid_side, plasma.data(), scratch);
  const double largest = largest_of(image) / 255.0;
  const auto width = static_cast<std::size_t>(image.width),
             channels = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < image.height; ++y) {
    const double* density = plasma.data() + static_cast<std::size_t>(y) * side;
    const std::uint8_t* row = image.row(y);
    for (std::size_t i = 0; i < width * channels; ++i) {
      const double fogged = row[i] / 255.0 + constants.thickness * density[i / channels];
      *values++ = std::clamp(fogged * largest / (largest + constants.thickness), 0.0, 1.0) * 255;
    }
  }
}

void fog(const Image& image, std::span<const float> amounts, int grid_side, const FogConstants& constants,
         Scratch& scratch, Image& out) {
  check_grid(image, grid_side);
  const Scratch::Frame frame(scratch);
  const auto side = static_cast<std::size_t>(grid_side);
  const auto plasma = scratch.take<float>(side * side);
  const auto wide = scratch.take<float>(image.stride());
  plasma_fractal(amounts, grid_side, plasma.data(), scratch);
  const double largest = largest_of(image) / 255.0;
  const double gain = largest / (largest + constants.thickness);
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
  for (int y = 0; y < image.height; ++y) {
    fog_row(image.row(y), plasma.data() + static_cast<std::size_t>(y) * side,
            static_cast<std::size_t>(image.width), static_cast<std::size_t>(image.channels),
            static_cast<float>(gain), static_cast<float>(255 * constants.thickness * gain), wide.data(),
            out.row(y));
  }
}

std::unique_ptr<Corruption> make_fog(ParameterSet set, int severity) {
  return std::make_unique<Fog>(set, severity);
}

}  // namespace noisymix
