// Sum of many enlargements: columns first, then rows, which are added on the way.
//
// A factor of at least 1 moves at most one position on per column, so that the left neighbours of eight
// columns lie within eight floats: one load and one permutation fetch them, another pair the right
// neighbours.
#include "augment/filters/zoom_sum.h"

#include <algorithm>

#include "augment/filters/clipped_zoom.h"
#include "augment/filters/wide_doubles.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::size_t kColumns = 8, kLanes = 16;

using Floats = float __attribute__((vector_size(32)));
using Indices = std::int32_t __attribute__((vector_size(32)));

/// values[places[k]] for every k.
inline __attribute__((always_inline)) Floats picked(const Floats& values, const Indices& places) {
#if defined(__clang__)  // which shuffles by constants only
  Floats result = values;
  for (int k = 0; k < 8; ++k) result[k] = values[places[k] & 7];
  return result;
#else
  return __builtin_shuffle(values, places);
#endif
}

/// Interpolates along `rows` rows, eight columns of all rows at a time.
NM_VECTORISED(stretch_rows,
              (const float* in, float* out, std::size_t rows, std::size_t stride, const ZoomTable& table),
              (in, out, rows, stride, table)) {
  for (std::size_t block = 0; block < table.first_column.size(); ++block) {
    const std::size_t x = block * kColumns;
    const Indices shift = load_vector<Indices>(table.column_shift.data() + x);
    const Floats weight = load_vector<Floats>(table.right_weight.data() + x);
    const float* from = in + table.first_column[block];
    float* to = out + x;
    for (std::size_t y = 0; y < rows; ++y, from += stride, to += stride) {
      const Floats left = picked(load_vector<Floats>(from), shift);
      const Floats right = picked(load_vector<Floats>(from + 1), shift);
      store_vector<Floats>(to, left + (right - left) * weight);
    }
  }
}

/// Interpolates between the rows of one plane and adds.
NM_VECTORISED(add_rows, (const float* in, float* NM_RESTRICT sum, std::size_t stride, const ZoomTable& table),
              (in, sum, stride, table)) {
  for (std::size_t y = 0; y < table.lower_row.size(); ++y, sum += stride) {
    const float* lower = in + static_cast<std::size_t>(table.lower_row[y]) * stride;
    const float* upper = in + static_cast<std::size_t>(table.upper_row[y]) * stride;
    const float weight = table.upper_weight[y];
    for (std::size_t x = 0; x < stride; x += kColumns) {
      const Floats a = load_vector<Floats>(lower + x);
      const Floats b = load_vector<Floats>(upper + x);
      const Floats value = a + (b - a) * weight;
      Floats total = load_vector<Floats>(sum + x) + value;
      for (int i = 1; i < table.times; ++i) total += value;
      store_vector<Floats>(sum + x, total);
    }
  }
}

NM_VECTORISED(add_once, (const float* in, float* NM_RESTRICT sum, std::size_t count), (in, sum, count)) {
  for (std::size_t i = 0; i < count; ++i) sum[i] += in[i];
}

/// Only the last position can lie behind the axis.
bool sees_nothing(const LinearAxis& axis, std::size_t i) {
  return axis.lower_weight[i] == 0 && axis.upper_weight[i] == 0;
}

bool is_identity(const LinearAxis& axis) {
  for (std::size_t i = 0; i < axis.lower.size(); ++i)
    if (axis.lower[i] != static_cast<std::int32_t>(i) || axis.lower_weight[i] != 1) return false;
  return true;
}

bool same(const LinearAxis& a, const LinearAxis& b) {
  return std::equal(a.lower.begin(), a.lower.end(), b.lower.begin()) &&
         std::equal(a.upper_weight.begin(), a.upper_weight.end(), b.upper_weight.begin()) &&
         std::equal(a.lower_weight.begin(), a.lower_weight.end(), b.lower_weight.begin());
}

void fill_rows(ZoomTable& table, const LinearAxis& axis, Scratch& scratch) {
  const std::size_t n = axis.lower.size();
  table.lower_row = axis.lower;
  table.upper_row = axis.upper;
  table.upper_weight = scratch.take<float>(n);
  for (std::size_t i = 0; i < n; ++i) {
    table.upper_weight[i] = static_cast<float>(axis.upper_weight[i]);
    if (sees_nothing(axis, i))
      table.lower_row[i] = table.upper_row[i] = static_cast<std::int32_t>(n);
    else
      table.end_row = axis.upper[i] + 1;
  }
}

void fill_columns(ZoomTable& table, const LinearAxis& axis, Scratch& scratch) {
  const std::size_t n = axis.lower.size(), blocks = (n + kColumns - 1) / kColumns;
  table.first_column = scratch.take<std::int32_t>(blocks);
  table.column_shift = scratch.take<std::int32_t>(blocks * kColumns);
  table.right_weight = scratch.take<float>(blocks * kColumns);
  for (std::size_t i = 0; i < blocks * kColumns; ++i) {
    const std::size_t block = i / kColumns;
    if (i % kColumns == 0) table.first_column[block] = axis.lower[i];
    table.column_shift[i] = i < n ? axis.lower[i] - table.first_column[block] : 0;
    table.right_weight[i] = i < n ? static_cast<float>(axis.upper_weight[i]) : 0;
  }
  table.last_column_zero = sees_nothing(axis, n - 1);
}

}  // namespace

ZoomTables zoom_tables(int height, int width, std::span<const double> factors, Scratch& scratch) {
  const auto tables = scratch.take<ZoomTable>(factors.size());
  const auto rows = scratch.take<LinearAxis>(factors.size()),
             columns = scratch.take<LinearAxis>(factors.size());
  std::size_t count = 0;
  for (const double factor : factors) {
    rows[count] = zoomed_axis(height, factor, scratch);
    columns[count] = width == height ? rows[count] : zoomed_axis(width, factor, scratch);
    // Equal tables follow upon one another: crops shrink, and the sizes of one crop grow.
    const bool known =
        count > 0 && same(rows[count - 1], rows[count]) && same(columns[count - 1], columns[count]);
    if (!known) {
      tables[count] = ZoomTable{};
      tables[count].identity = is_identity(rows[count]) && is_identity(columns[count]);
      ++count;
    }
    tables[count - 1].times += 1;
  }
  for (std::size_t i = 0; i < count; ++i) {
    fill_columns(tables[i], columns[i], scratch);
    fill_rows(tables[i], rows[i], scratch);  // last: it changes what columns may share
  }
  return {height, width, tables.first(count)};
}

std::size_t zoom_stride(int width) {
  return (static_cast<std::size_t>(width) + kLanes - 1) / kLanes * kLanes;
}

std::size_t zoom_planes_size(int height, int width, int channels) {
  return static_cast<std::size_t>(height) * static_cast<std::size_t>(channels) * zoom_stride(width) + kLanes;
}

void add_zooms(const float* planes, int channels, const ZoomTables& tables, float* sum, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const std::size_t stride = zoom_stride(tables.width);
  const std::size_t plane = stride * static_cast<std::size_t>(tables.height);
  const std::size_t count = plane * static_cast<std::size_t>(channels);
  const auto stretched = scratch.take<float>(plane + stride);  // and a row of zeros
  std::fill(stretched.begin(), stretched.end(), 0.0f);
  for (const ZoomTable& table : tables.tables) {
    if (table.identity) {
      for (int i = 0; i < table.times; ++i) add_once(planes, sum, count);
      continue;
    }
    const auto top = static_cast<std::size_t>(table.lower_row.front());
    const auto end = static_cast<std::size_t>(table.end_row);
    for (std::size_t c = 0; c < static_cast<std::size_t>(channels); ++c) {
      stretch_rows(planes + c * plane + top * stride, stretched.data() + top * stride, end - top, stride,
                   table);
      if (table.last_column_zero)
        for (std::size_t y = top; y < end; ++y) stretched[y * stride + tables.width - 1] = 0;
      add_rows(stretched.data(), sum + c * plane, stride, table);
    }
  }
}

}  // namespace noisymix
