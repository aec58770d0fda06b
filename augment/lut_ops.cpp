// Tables of 256 entries per channel, and the two operations simple enough to be computed directly.
#include <algorithm>
#include <array>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Table = std::array<std::uint8_t, 256>;
using Histogram = std::array<std::uint32_t, 256>;

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

NM_VECTORISED(extremes_by_column, (std::uint8_t* NM_RESTRICT low, std::uint8_t* NM_RESTRICT high,
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

/// table[i] = clip(int(i * scale + offset), 0, 255); the two roundings in double decide ties, so they are kept.
NM_VECTORISED(linear_table, (std::uint8_t* NM_RESTRICT table, double scale, double offset), (table, scale, offset)) {
  for (int i = 0; i < 256; ++i) {
    const int value = static_cast<int>(i * scale + offset);
    const int floored = value < 0 ? 0 : value;
    table[i] = static_cast<std::uint8_t>(floored > 255 ? 255 : floored);
  }
}

/// Entry i of the equalizing table is (step / 2 + pixels darker than i) / step in whole numbers.
void equalizing_table(const Histogram& histogram, Table& table) {
  std::uint32_t total = 0, last = 0, used = 0;
  for (const std::uint32_t count : histogram) {
    total += count;
    if (count == 0) continue;
    last = count;
    ++used;
  }
  const std::uint32_t step = (total - last) / 255;
  if (used <= 1 || step == 0) {
    table = kIdentity;
    return;
  }
  // (n + 1/2) / step keeps clear of whole numbers, so the rounded reciprocal cannot change the quotient.
  const double reciprocal = 1.0 / step;
  std::uint32_t n = step / 2;
  for (std::size_t i = 0; i < 256; ++i) {
    table[i] = static_cast<std::uint8_t>(std::min(static_cast<int>((n + 0.5) * reciprocal), 255));
    n += histogram[i];
  }
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
  // Two sets of counters, for even and odd pixels: a run of equal pixels would otherwise wait for its own increments.
  std::array<std::array<Histogram, 3>, 2> counts{};
  const std::uint8_t* p = image.pixels.data();
  const std::size_t pixels = image.pixels.size() / static_cast<std::size_t>(image.channels);
  if (image.channels == 1) {
    for (std::size_t i = 0; i < pixels; ++i) ++counts[i % 2][0][p[i]];
  } else {
    for (std::size_t i = 0; i < pixels; ++i)
      for (std::size_t c = 0; c < 3; ++c) ++counts[i % 2][c][p[3 * i + c]];
  }
  std::array<Table, 3> tables;
  for (std::size_t c = 0; c < static_cast<std::size_t>(image.channels); ++c) {
    for (std::size_t i = 0; i < 256; ++i) counts[0][c][i] += counts[1][c][i];
    equalizing_table(counts[0][c], tables[c]);
  }
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

void invert(const Image& image, Image& out) { solarize(image, out, 0); }

}  // namespace noisymix
