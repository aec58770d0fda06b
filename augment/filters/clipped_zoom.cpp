// Enlargement of an image's middle: tables of an axis, then a pass along rows and one along columns.
#include "augment/filters/clipped_zoom.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {

LinearAxis stretched_axis(int size, int stretched, int begin, int count, Scratch& scratch) {
  NM_CHECK_AS(ConfigError, size >= 1 && stretched >= 1 && begin >= 0 && begin + count <= stretched,
              "[stretched_axis] positions ", begin, " .. ", begin + count - 1, " of ", stretched, ", from ",
              size, " positions: expected a part of the stretched axis");
  const auto n = static_cast<std::size_t>(count);
  const LinearAxis axis{scratch.take<std::int32_t>(n), scratch.take<std::int32_t>(n), scratch.take<double>(n),
                        scratch.take<double>(n)};
  const double step = stretched == 1 ? 1 : static_cast<double>(size - 1) / (stretched - 1);
  for (std::size_t i = 0; i < n; ++i) {
    const double position = step * static_cast<double>(static_cast<std::size_t>(begin) + i);
    const bool inside = position <= size - 1;
    const double whole = std::min(std::floor(position), static_cast<double>(size - 1));
    axis.lower[i] = static_cast<std::int32_t>(whole);
    axis.upper[i] = std::min(axis.lower[i] + 1, size - 1);
    axis.upper_weight[i] = inside ? position - whole : 0;
    axis.lower_weight[i] = inside ? 1 - axis.upper_weight[i] : 0;
  }
  return axis;
}

LinearAxis zoomed_axis(int size, double factor, Scratch& scratch) {
  NM_CHECK_AS(ConfigError, factor >= 1 && size >= 1, "[clipped_zoom] factor ", factor, " on ", size,
              " positions: expected a factor of 1 or more");
  const int crop = static_cast<int>(std::ceil(size / factor));
  const int stretched = static_cast<int>(std::nearbyint(crop * factor));  // halves to the even number
  const LinearAxis axis = stretched_axis(crop, stretched, (stretched - size) / 2, size, scratch);
  const int begin = (size - crop) / 2;
  for (auto& position : axis.lower) position += begin;
  for (auto& position : axis.upper) position += begin;
  return axis;
}

namespace {

NM_VECTORISED(blend_rows,
              (double* NM_RESTRICT out, const float* a, const float* b, std::size_t n, double wa, double wb),
              (out, a, b, n, wa, wb)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * wa + b[i] * wb;
}
NM_VECTORISED(blend_double_rows,
              (double* NM_RESTRICT out, const double* a, const double* b, std::size_t n, double wa,
               double wb),
              (out, a, b, n, wa, wb)) {
  for (std::size_t i = 0; i < n; ++i) out[i] = a[i] * wa + b[i] * wb;
}
void blend(double* out, const float* a, const float* b, std::size_t n, double wa, double wb) {
  blend_rows(out, a, b, n, wa, wb);
}
void blend(double* out, const double* a, const double* b, std::size_t n, double wa, double wb) {
  blend_double_rows(out, a, b, n, wa, wb);
}

}  // namespace

template <class T>
void interpolate(const T* in, T* out, int width, int channels, const LinearAxis& rows,
                 const LinearAxis& columns, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto pixel = static_cast<std::size_t>(channels), stride = static_cast<std::size_t>(width) * pixel;
  const auto row = scratch.take<double>(stride);
  for (std::size_t y = 0; y < rows.lower.size(); ++y) {
    blend(row.data(), in + static_cast<std::size_t>(rows.lower[y]) * stride,
          in + static_cast<std::size_t>(rows.upper[y]) * stride, stride, rows.lower_weight[y],
          rows.upper_weight[y]);
    for (std::size_t x = 0; x < columns.lower.size(); ++x) {
      const double* a = row.data() + static_cast<std::size_t>(columns.lower[x]) * pixel;
      const double* b = row.data() + static_cast<std::size_t>(columns.upper[x]) * pixel;
      for (std::size_t c = 0; c < pixel; ++c)
        *out++ = static_cast<T>(a[c] * columns.lower_weight[x] + b[c] * columns.upper_weight[x]);
    }
  }
}

template <class T>
void clipped_zoom(const T* in, T* out, int height, int width, int channels, double factor, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const LinearAxis rows = zoomed_axis(height, factor, scratch), columns = zoomed_axis(width, factor, scratch);
  interpolate(in, out, width, channels, rows, columns, scratch);
}

template void interpolate(const float*, float*, int, int, const LinearAxis&, const LinearAxis&, Scratch&);
template void interpolate(const double*, double*, int, int, const LinearAxis&, const LinearAxis&, Scratch&);
template void clipped_zoom(const float*, float*, int, int, int, double, Scratch&);
template void clipped_zoom(const double*, double*, int, int, int, double, Scratch&);

}  // namespace noisymix
