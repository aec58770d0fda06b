#include "augment/corruptions/contrast.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "augment/byte_tables.h"
#include "augment/corruptions/unit_range.h"
#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

using Means = std::array<double, 3>;

/// Sums of the channels, `channels` of them; 48 neighbouring bytes have the same channels as the next 48.
NM_VECTORISED(sum_bytes, (const std::uint8_t* NM_RESTRICT bytes, std::size_t count, std::uint64_t* sums),
              (bytes, count, sums)) {
  constexpr std::size_t kGroup = 48, kGroups = 1024;  // 2^10 bytes still fit a 32-bit sum, with room
  std::size_t i = 0;
  while (i + kGroup <= count) {
    std::uint32_t partial[kGroup] = {};
    for (std::size_t g = 0; g < kGroups && i + kGroup <= count; ++g, i += kGroup)
      for (std::size_t k = 0; k < kGroup; ++k) partial[k] += bytes[i + k];
    for (std::size_t k = 0; k < kGroup; ++k) sums[k % 3] += partial[k];
  }
  for (; i < count; ++i) sums[i % 3] += bytes[i];
}

/// Of each channel in 0..1. Integer sums: no order of summation, so the same for every instruction set.
Means means_of(const Image& image) {
  std::uint64_t sums[3] = {};
  sum_bytes(image.pixels.data(), image.pixels.size(), sums);
  if (image.channels == 1) sums[0] += sums[1] + sums[2];
  Means means{};
  const double pixels = static_cast<double>(image.height) * image.width;
  for (std::size_t c = 0; c < 3; ++c) means[c] = static_cast<double>(sums[c]) / 255 / pixels;
  return means;
}

inline __attribute__((always_inline)) double value_of(double x, double mean, double factor) {
  return clip_unit((x - mean) * factor + mean) * 255;
}

/// A channel's result for every byte: fewer than an image has pixels, and then a look-up each.
NM_VECTORISED(fill_tables, (const double* NM_RESTRICT means, double factor, std::uint8_t* NM_RESTRICT tables),
              (means, factor, tables)) {
  const double m0 = means[0], m1 = means[1], m2 = means[2];
  for (std::int32_t v = 0; v < 256; ++v) {
    const double x = static_cast<double>(v) / 255;
    tables[4 * v] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value_of(x, m0, factor)));
    tables[4 * v + 1] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value_of(x, m1, factor)));
    tables[4 * v + 2] = static_cast<std::uint8_t>(static_cast<std::int32_t>(value_of(x, m2, factor)));
    tables[4 * v + 3] = 0;
  }
}

class Contrast final : public Corruption {
 public:
  explicit Contrast(double factor) : factor_(factor) {}
  void apply(const Image& image, Key, Scratch&, Image& out) const override { contrast(image, factor_, out); }

 private:
  double factor_;
};

}  // namespace

void contrast(const Image& image, double factor, Image& out, double* values) {
  const Means means = means_of(image);
  ByteTables tables;
  fill_tables(means.data(), factor, tables.data());
  apply_tables(image, out, tables);
  if (values == nullptr) return;
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    values[i] = value_of(static_cast<double>(image.pixels[i]) / 255, means[i % channels], factor);
}

std::unique_ptr<Corruption> make_contrast(ParameterSet set, int severity) {
  return std::make_unique<Contrast>(constants_of(kContrast, set, severity, "contrast"));
}

}  // namespace noisymix
