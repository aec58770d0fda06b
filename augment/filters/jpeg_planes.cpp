#include "augment/filters/jpeg_planes.h"

#include <algorithm>
#include <cstring>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Byte = std::uint8_t;

/// One row of colours, 16-bit fixed point. The colour planes round a half down, brightness rounds it up.
NM_VECTORISED(split_row,
              (const Byte* NM_RESTRICT rgb, int width, Byte* NM_RESTRICT y, Byte* NM_RESTRICT cb,
               Byte* NM_RESTRICT cr),
              (rgb, width, y, cb, cr)) {
  constexpr int kMiddle = (128 << 16) + 32767;
  for (int x = 0; x < width; ++x) {
    const int r = rgb[3 * x], g = rgb[3 * x + 1], b = rgb[3 * x + 2];
    y[x] = static_cast<Byte>((19595 * r + 38470 * g + 7471 * b + 32768) >> 16);
    cb[x] = static_cast<Byte>((-11059 * r - 21709 * g + 32768 * b + kMiddle) >> 16);
    cr[x] = static_cast<Byte>((32768 * r - 27439 * g - 5329 * b + kMiddle) >> 16);
  }
}

/// Means of 2 x 2; a quarter or a half more is added in turn.
NM_VECTORISED(halve_rows,
              (const Byte* NM_RESTRICT top, const Byte* NM_RESTRICT bottom, int width, Byte* NM_RESTRICT out),
              (top, bottom, width, out)) {
  for (int x = 0; x < width; ++x)
    out[x] = static_cast<Byte>(
        (top[2 * x] + top[2 * x + 1] + bottom[2 * x] + bottom[2 * x + 1] + 1 + (x & 1)) >> 2);
}

/// Two bytes per colour sample: 3/4 of the nearer and 1/4 of the farther row, then the same along the row.
/// `sums` has room for width + 2.
NM_VECTORISED(widen_row,
              (const Byte* NM_RESTRICT near_row, const Byte* NM_RESTRICT far_row, int width,
               std::uint16_t* NM_RESTRICT sums, Byte* NM_RESTRICT out),
              (near_row, far_row, width, sums, out)) {
  for (int x = 0; x < width; ++x) sums[x + 1] = static_cast<std::uint16_t>(3 * near_row[x] + far_row[x]);
  sums[0] = sums[1];
  sums[width + 1] = sums[width];
  for (int x = 0; x < width; ++x) {
    out[2 * x] = static_cast<Byte>((3 * sums[x + 1] + sums[x] + 8) >> 4);
    out[2 * x + 1] = static_cast<Byte>((3 * sums[x + 1] + sums[x + 2] + 7) >> 4);
  }
}

NM_VECTORISED(join_row,
              (const Byte* NM_RESTRICT y, const Byte* NM_RESTRICT cb, const Byte* NM_RESTRICT cr, int width,
               Byte* NM_RESTRICT rgb),
              (y, cb, cr, width, rgb)) {
  for (int x = 0; x < width; ++x) {
    const int light = y[x], blue = cb[x] - 128, red = cr[x] - 128;
    const int r = light + ((91881 * red + 32768) >> 16);
    const int g = light + ((-22554 * blue - 46802 * red + 32768) >> 16);
    const int b = light + ((116130 * blue + 32768) >> 16);
    rgb[3 * x] = static_cast<Byte>(r < 0 ? 0 : (r > 255 ? 255 : r));
    rgb[3 * x + 1] = static_cast<Byte>(g < 0 ? 0 : (g > 255 ? 255 : g));
    rgb[3 * x + 2] = static_cast<Byte>(b < 0 ? 0 : (b > 255 ? 255 : b));
  }
}

Byte* row_of(const JpegPlane& plane, int y) {
  return plane.samples + static_cast<std::size_t>(y) * static_cast<std::size_t>(plane.stride);
}

void repeat_last(Byte* row, int width, int padded) {
  if (padded > width) std::memset(row + width, row[width - 1], static_cast<std::size_t>(padded - width));
}

void repeat_last_row(const JpegPlane& plane) {
  for (int y = plane.height; y < 8 * plane.blocks_high; ++y)
    std::memcpy(row_of(plane, y), row_of(plane, plane.height - 1), static_cast<std::size_t>(plane.stride));
}

JpegPlane take_plane(int height, int width, int stride, Scratch& scratch) {
  JpegPlane plane{nullptr, height, width, (height + 7) / 8, (width + 7) / 8, stride};
  plane.samples =
      scratch.take<Byte>(static_cast<std::size_t>(8 * plane.blocks_high) * static_cast<std::size_t>(stride))
          .data();
  return plane;
}

/// Twice as many columns, without weights: what decoders do with planes too narrow to interpolate.
void repeat_columns(const Byte* in, int width, Byte* out) {
  for (int x = 0; x < width; ++x) out[2 * x] = out[2 * x + 1] = in[x];
}

}  // namespace

JpegPlanes take_jpeg_planes(int height, int width, int channels, Scratch& scratch) {
  NM_CHECK(height >= 1 && width >= 1 && (channels == 1 || channels == 3), "[jpeg] image is ", height, "x",
           width, "x", channels, ", expected positive sides and 1 or 3 channels");
  JpegPlanes planes;
  planes.count = channels;
  if (channels == 1) {
    planes.plane[0] = take_plane(height, width, (width + 7) / 8 * 8, scratch);
    return planes;
  }
  const int units = (width + 15) / 16;  // of 16 x 16 pixels, which share their colour blocks
  planes.plane[0] = take_plane(height, width, 16 * units, scratch);
  for (int c = 1; c < 3; ++c)
    planes.plane[c] = take_plane((height + 1) / 2, (width + 1) / 2, 8 * units, scratch);
  return planes;
}

void split_jpeg_planes(const Image& image, const JpegPlanes& planes, Scratch& scratch) {
  const JpegPlane& light = planes.plane[0];
  if (planes.count == 1) {
    for (int y = 0; y < image.height; ++y) {
      std::memcpy(row_of(light, y), image.row(y), image.stride());
      repeat_last(row_of(light, y), light.width, light.stride);
    }
    repeat_last_row(light);
    return;
  }
  const Scratch::Frame frame(scratch);
  const auto stride = static_cast<std::size_t>(light.stride);
  Byte* const colours = scratch.take<Byte>(4 * stride).data();  // two rows of each
  for (int y = 0; y < image.height; ++y) {
    Byte* const blue = colours + (y % 2 == 0 ? 0 : stride);
    Byte* const red = blue + 2 * stride;
    split_row(image.row(y), image.width, row_of(light, y), blue, red);
    for (Byte* row : {row_of(light, y), blue, red}) repeat_last(row, light.width, light.stride);
    const bool last = y + 1 == image.height;
    if (y % 2 == 0 && !last) continue;
    // The last row of an odd height is its own neighbour.
    const std::size_t second = y % 2 == 0 ? 0 : stride;
    for (int c = 1; c < 3; ++c) {
      const Byte* top = colours + (c == 1 ? 0 : 2 * stride);
      halve_rows(top, top + second, planes.plane[c].stride, row_of(planes.plane[c], y / 2));
    }
  }
  for (int c = 0; c < 3; ++c) repeat_last_row(planes.plane[c]);
}

void join_jpeg_planes(const JpegPlanes& planes, Scratch& scratch, Image& out) {
  const JpegPlane& light = planes.plane[0];
  if (planes.count == 1) {
    for (int y = 0; y < out.height; ++y) std::memcpy(out.row(y), row_of(light, y), out.stride());
    return;
  }
  const Scratch::Frame frame(scratch);
  const int width = planes.plane[1].width, height = planes.plane[1].height;
  const auto wide = static_cast<std::size_t>(width);
  std::uint16_t* const sums = scratch.take<std::uint16_t>(wide + 2).data();
  Byte* const colours[2] = {scratch.take<Byte>(2 * wide).data(), scratch.take<Byte>(2 * wide).data()};
  for (int y = 0; y < out.height; ++y) {
    const int near_y = y / 2, far_y = std::clamp(y % 2 == 0 ? near_y - 1 : near_y + 1, 0, height - 1);
    for (int c = 0; c < 2; ++c) {
      const JpegPlane& plane = planes.plane[c + 1];
      if (width > 2)
        widen_row(row_of(plane, near_y), row_of(plane, far_y), width, sums, colours[c]);
      else
        repeat_columns(row_of(plane, near_y), width, colours[c]);
    }
    join_row(row_of(light, y), colours[0], colours[1], out.width, out.row(y));
  }
}

}  // namespace noisymix
