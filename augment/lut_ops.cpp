// Tables of 256 entries per channel, and the two operations simple enough to be computed directly.
#include <algorithm>
#include <array>

#include "augment/byte_tables.h"
#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

/// One number per entry of ByteTables.
using Counts = std::array<std::int32_t, 4 * 256>;
/// One number per channel, and a fourth that is not used.
template <typename T>
using PerChannel = std::array<T, 4>;

NM_VECTORISED(extremes_by_column,
              (std::uint8_t * NM_RESTRICT low, std::uint8_t* NM_RESTRICT high,
               const std::uint8_t* NM_RESTRICT pixels, std::size_t rows, std::size_t columns),
              (low, high, pixels, rows, columns)) {
  for (std::size_t y = 0; y < rows; ++y) {
    const std::uint8_t* NM_RESTRICT row = pixels + y * columns;
    for (std::size_t i = 0; i < columns; ++i) {
      low[i] = row[i] < low[i] ? row[i] : low[i];
      high[i] = row[i] > high[i] ? row[i] : high[i];
    }
  }
}

/// entry[4 v + c] = clip(int(v * scale + offset), 0, 255); the two roundings in double decide ties, so they
/// are kept.
NM_VECTORISED(linear_entries,
              (std::uint8_t * NM_RESTRICT entries, const double* NM_RESTRICT scale,
               const double* NM_RESTRICT offset),
              (entries, scale, offset)) {
  for (int v = 0; v < 256; ++v) {
    for (int c = 0; c < 4; ++c) {
      const int value = static_cast<int>(v * scale[c] + offset[c]);
      const int floored = value < 0 ? 0 : value;
      entries[4 * v + c] = static_cast<std::uint8_t>(floored > 255 ? 255 : floored);
    }
  }
}

/// entry[4 v + c] = min((step / 2 + pixels darker than v) / step, 255) in whole numbers. (n + 1/2) / step
/// keeps clear of whole numbers, so the rounded reciprocal cannot change the quotient.
NM_VECTORISED(equalizing_entries,
              (std::uint8_t * NM_RESTRICT entries, std::int32_t* NM_RESTRICT counts,
               const std::int32_t* NM_RESTRICT steps, const double* NM_RESTRICT reciprocals),
              (entries, counts, steps, reciprocals)) {
  std::int32_t darker[4] = {steps[0] / 2, steps[1] / 2, steps[2] / 2, 0};
  for (int v = 0; v < 256; ++v) {
    for (int c = 0; c < 4; ++c) {
      const std::int32_t here = counts[4 * v + c];
      counts[4 * v + c] = darker[c];
      darker[c] += here;
    }
  }
  for (int v = 0; v < 256; ++v) {
    for (int c = 0; c < 4; ++c) {
      const auto quotient = static_cast<std::int32_t>((counts[4 * v + c] + 0.5) * reciprocals[c]);
      entries[4 * v + c] = static_cast<std::uint8_t>(quotient > 255 ? 255 : quotient);
    }
  }
}

/// Counts every channel's values, even and odd pixels apart: in flat areas an increment would otherwise have
/// to wait for the one before.
void count(const Image& image, std::size_t pixels, Counts& counts) {
  Counts odd{};
  const std::uint8_t* p = image.pixels.data();
  const auto add = [](Counts& to, std::uint8_t value, std::size_t channel) {
    ++to[4 * std::size_t{value} + channel];
  };
  if (image.channels == 1) {
    for (std::size_t i = 0; i < pixels; ++i) add(i % 2 == 0 ? counts : odd, p[i], 0);
  } else {
    std::size_t i = 0;
    for (; i + 2 <= pixels; i += 2, p += 6) {
      for (std::size_t c = 0; c < 3; ++c) add(counts, p[c], c);
      for (std::size_t c = 0; c < 3; ++c) add(odd, p[3 + c], c);
    }
    if (i < pixels)
      for (std::size_t c = 0; c < 3; ++c) add(counts, p[c], c);
  }
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += odd[i];
}

/// A 255th of the pixels without the brightest ones of the channel.
std::int32_t equalizing_step(const Counts& counts, std::size_t channel, std::int32_t pixels) {
  std::size_t brightest = 255;
  while (brightest > 0 && counts[4 * brightest + channel] == 0) --brightest;
  return (pixels - counts[4 * brightest + channel]) / 255;
}

}  // namespace

void autocontrast(const Image& image, Image& out) {
  thread_local std::vector<std::uint8_t> low, high;
  low.assign(image.stride(), 255);
  high.assign(image.stride(), 0);
  extremes_by_column(low.data(), high.data(), image.pixels.data(), static_cast<std::size_t>(image.height),
                     image.stride());
  PerChannel<double> scale{}, offset{};
  PerChannel<bool> constant{};
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    int lowest = 255, highest = 0;
    for (std::size_t i = c; i < image.stride(); i += channels) {
      lowest = std::min<int>(lowest, low[i]);
      highest = std::max<int>(highest, high[i]);
    }
    constant[c] = highest <= lowest;
    if (constant[c]) continue;
    scale[c] = 255.0 / (highest - lowest);
    offset[c] = -lowest * scale[c];
  }
  ByteTables tables;
  linear_entries(tables.data(), scale.data(), offset.data());
  for (std::size_t c = 0; c < channels; ++c)
    if (constant[c]) set_identity(tables, c);
  apply_tables(image, out, tables);
}

void equalize(const Image& image, Image& out) {
  Counts counts{};
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t pixels = image.pixels.size() / channels;
  count(image, pixels, counts);
  PerChannel<std::int32_t> steps{};
  PerChannel<double> reciprocals{};
  for (std::size_t c = 0; c < channels; ++c) {
    steps[c] = equalizing_step(counts, c, static_cast<std::int32_t>(pixels));
    if (steps[c] > 0) reciprocals[c] = 1.0 / steps[c];
  }
  ByteTables tables;
  equalizing_entries(tables.data(), counts.data(), steps.data(), reciprocals.data());
  for (std::size_t c = 0; c < channels; ++c)
    if (steps[c] == 0) set_identity(tables, c);  // also when there is only one value
  apply_tables(image, out, tables);
}

void posterize(const Image& image, Image& out, int bits) {
  NM_CHECK(bits >= 0 && bits <= 8, "[posterize] bits must be in 0..8, got ", bits);
  set_shape_like(out, image);
  const auto mask = static_cast<std::uint8_t>(0xFF << (8 - bits));
  const std::uint8_t* NM_RESTRICT from = image.pixels.data();
  std::uint8_t* NM_RESTRICT to = out.pixels.data();
  const std::size_t n = image.pixels.size();
  for (std::size_t i = 0; i < n; ++i) to[i] = from[i] & mask;
}

void solarize(const Image& image, Image& out, int threshold) {
  NM_CHECK(threshold >= 0 && threshold <= 256, "[solarize] threshold must be in 0..256, got ", threshold);
  if (threshold == 256) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  const auto limit = static_cast<std::uint8_t>(threshold);
  const std::uint8_t* NM_RESTRICT from = image.pixels.data();
  std::uint8_t* NM_RESTRICT to = out.pixels.data();
  const std::size_t n = image.pixels.size();
  for (std::size_t i = 0; i < n; ++i) {
    const auto inverse = static_cast<std::uint8_t>(255 - from[i]);
    to[i] = from[i] < limit ? from[i] : inverse;
  }
}

void invert(const Image& image, Image& out) {
  solarize(image, out, 0);
}

}  // namespace noisymix
