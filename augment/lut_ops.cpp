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

// Counters of 16 bits are cleared and added up quickly; no part of an image may have more pixels than they
// can hold.
using ShortCounts = std::array<std::uint16_t, 4 * 256>;
constexpr std::size_t kPart = 65535;

NM_VECTORISED(add_counts,
              (std::int32_t * NM_RESTRICT sum, const std::uint16_t* NM_RESTRICT a,
               const std::uint16_t* NM_RESTRICT b, const std::uint16_t* NM_RESTRICT c,
               const std::uint16_t* NM_RESTRICT d),
              (sum, a, b, c, d)) {
  for (std::size_t i = 0; i < 4 * 256; ++i) sum[i] += a[i] + b[i] + c[i] + d[i];
}

/// Counts the values of up to kPart pixels. Four neighbours have a table each: in flat areas an increment
/// would else have to wait for the one before.
template <std::size_t kChannels>
void count_part(const std::uint8_t* p, std::size_t pixels, Counts& counts) {
  std::array<ShortCounts, 4> tables;
  for (ShortCounts& table : tables) table.fill(0);
  const auto add = [](ShortCounts& to, const std::uint8_t* pixel) {
    for (std::size_t c = 0; c < kChannels; ++c) ++to[4 * std::size_t{pixel[c]} + c];
  };
  std::size_t i = 0;
  for (; i + 4 <= pixels; i += 4, p += 4 * kChannels)
    for (std::size_t k = 0; k < 4; ++k) add(tables[k], p + k * kChannels);
  for (; i < pixels; ++i, p += kChannels) add(tables[0], p);
  add_counts(counts.data(), tables[0].data(), tables[1].data(), tables[2].data(), tables[3].data());
}

void count(const Image& image, std::size_t pixels, Counts& counts) {
  for (std::size_t begin = 0; begin < pixels; begin += kPart) {
    const std::size_t size = std::min(kPart, pixels - begin);
    if (image.channels == 1) {
      count_part<1>(image.pixels.data() + begin, size, counts);
    } else {
      count_part<3>(image.pixels.data() + 3 * begin, size, counts);
    }
  }
}

NM_VECTORISED(keep_bits,
              (std::uint8_t * NM_RESTRICT to, const std::uint8_t* NM_RESTRICT from, std::size_t n,
               std::uint8_t mask),
              (to, from, n, mask)) {
  for (std::size_t i = 0; i < n; ++i) to[i] = from[i] & mask;
}

NM_VECTORISED(invert_from,
              (std::uint8_t * NM_RESTRICT to, const std::uint8_t* NM_RESTRICT from, std::size_t n,
               std::uint8_t limit),
              (to, from, n, limit)) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto inverse = static_cast<std::uint8_t>(255 - from[i]);
    to[i] = from[i] < limit ? from[i] : inverse;
  }
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
  keep_bits(out.pixels.data(), image.pixels.data(), image.pixels.size(), mask);
}

void solarize(const Image& image, Image& out, int threshold) {
  NM_CHECK(threshold >= 0 && threshold <= 256, "[solarize] threshold must be in 0..256, got ", threshold);
  if (threshold == 256) {
    out = image;
    return;
  }
  set_shape_like(out, image);
  const auto limit = static_cast<std::uint8_t>(threshold);
  invert_from(out.pixels.data(), image.pixels.data(), image.pixels.size(), limit);
}

void invert(const Image& image, Image& out) {
  solarize(image, out, 0);
}

}  // namespace noisymix
