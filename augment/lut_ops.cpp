// Tables of 256 entries per channel, and the two operations simple enough to be computed directly.
#include <algorithm>
#include <array>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::int32_t, 256>;

constexpr Table make_identity() {
  Table table{};
  for (std::size_t i = 0; i < 256; ++i) table[i] = static_cast<std::uint8_t>(i);
  return table;
}
constexpr Table kIdentity = make_identity();

void apply_tables(const Image& image, Image& out, const std::array<Table, 3>& tables) {
  set_shape_like(out, image);
  const std::uint8_t* NM_RESTRICT from = image.pixels.data();
  std::uint8_t* NM_RESTRICT to = out.pixels.data();
  const std::size_t n = image.pixels.size();
  if (image.channels == 1) {
    for (std::size_t i = 0; i < n; ++i) to[i] = tables[0][from[i]];
    return;
  }
  for (std::size_t i = 0; i < n; i += 3) {
    to[i] = tables[0][from[i]];
    to[i + 1] = tables[1][from[i + 1]];
    to[i + 2] = tables[2][from[i + 2]];
  }
}

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

/// table[i] = clip(int(i * scale + offset), 0, 255); the two roundings in double decide ties, so they are
/// kept.
NM_VECTORISED(linear_table, (std::uint8_t * NM_RESTRICT table, double scale, double offset),
              (table, scale, offset)) {
  for (int i = 0; i < 256; ++i) {
    const int value = static_cast<int>(i * scale + offset);
    const int floored = value < 0 ? 0 : value;
    table[i] = static_cast<std::uint8_t>(floored > 255 ? 255 : floored);
  }
}

/// table[i] = min(cumulative[i] / step, 255) in whole numbers. (n + 1/2) / step keeps clear of whole numbers,
/// so the rounded reciprocal cannot change the quotient.
NM_VECTORISED(divide_table,
              (std::uint8_t * NM_RESTRICT table, const std::int32_t* NM_RESTRICT cumulative,
               double reciprocal),
              (table, cumulative, reciprocal)) {
  for (int i = 0; i < 256; ++i) {
    const auto quotient = static_cast<std::int32_t>((cumulative[i] + 0.5) * reciprocal);
    table[i] = static_cast<std::uint8_t>(quotient > 255 ? 255 : quotient);
  }
}

/// Entry i of the equalizing table is (step / 2 + pixels darker than i) / step, where the step is a 255th of
/// the pixels without the brightest ones.
void equalizing_table(const Histogram& histogram, std::int32_t pixels, Table& table) {
  std::size_t brightest = 255;
  while (brightest > 0 && histogram[brightest] == 0) --brightest;
  const std::int32_t step = (pixels - histogram[brightest]) / 255;
  if (step == 0) {  // also when there is only one value
    table = kIdentity;
    return;
  }
  Histogram cumulative;
  std::int32_t n = step / 2;
  for (std::size_t i = 0; i < 256; ++i) {
    cumulative[i] = n;
    n += histogram[i];
  }
  divide_table(table.data(), cumulative.data(), 1.0 / step);
}

/// Counts every channel's values, even and odd pixels apart: in flat areas an increment would otherwise have
/// to wait for the one before.
void count_rgb(const std::uint8_t* p, std::size_t pixels, std::array<Histogram, 3>& counts) {
  std::array<Histogram, 3> odd{};
  std::size_t i = 0;
  for (; i + 2 <= pixels; i += 2, p += 6) {
    ++counts[0][p[0]];
    ++counts[1][p[1]];
    ++counts[2][p[2]];
    ++odd[0][p[3]];
    ++odd[1][p[4]];
    ++odd[2][p[5]];
  }
  if (i < pixels)
    for (std::size_t c = 0; c < 3; ++c) ++counts[c][p[c]];
  for (std::size_t c = 0; c < 3; ++c)
    for (std::size_t v = 0; v < 256; ++v) counts[c][v] += odd[c][v];
}

}  // namespace

void autocontrast(const Image& image, Image& out) {
  thread_local std::vector<std::uint8_t> low, high;
  low.assign(image.stride(), 255);
  high.assign(image.stride(), 0);
  extremes_by_column(low.data(), high.data(), image.pixels.data(), static_cast<std::size_t>(image.height),
                     image.stride());
  std::array<Table, 3> tables;
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t c = 0; c < channels; ++c) {
    int lowest = 255, highest = 0;
    for (std::size_t i = c; i < image.stride(); i += channels) {
      lowest = std::min<int>(lowest, low[i]);
      highest = std::max<int>(highest, high[i]);
    }
    if (highest <= lowest) {
      tables[c] = kIdentity;
      continue;
    }
    const double scale = 255.0 / (highest - lowest);
    linear_table(tables[c].data(), scale, -lowest * scale);
  }
  apply_tables(image, out, tables);
}

void equalize(const Image& image, Image& out) {
  std::array<Histogram, 3> counts{};
  const std::size_t pixels = image.pixels.size() / static_cast<std::size_t>(image.channels);
  if (image.channels == 1) {
    for (const std::uint8_t v : image.pixels) ++counts[0][v];
  } else {
    count_rgb(image.pixels.data(), pixels, counts);
  }
  std::array<Table, 3> tables;
  for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c)
    equalizing_table(counts[c], static_cast<std::int32_t>(pixels), tables[c]);
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
