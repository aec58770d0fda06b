#include "augment/filters/bilinear_resize.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "augment/image_ops.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Byte = std::uint8_t;
constexpr int kWeightBits = 22, kHalf = 1 << (kWeightBits - 1);
// 255 (2^22 + taps / 2) + 2^21 must fit 31 bits and stay below 2^30: up to 16448 taps, rounding cannot reach
// 256.
constexpr int kLargestSide = 16384;

/// Source positions [first, first + count) of one target position.
struct Reach {
  int first, count;
};

/// For every target position its source positions and their weights; those of position i begin at most * i.
struct Filter {
  std::span<Reach> reaches;
  std::span<std::int32_t> weights;
  std::size_t most = 0;
  const std::int32_t* weights_of(std::size_t i) const { return weights.data() + i * most; }
};

Filter make_filter(int source, int target, Scratch& scratch) {
  const double scale = static_cast<double>(source) / target, stretch = std::max(scale, 1.0);
  const double shrink = 1 / stretch;
  Filter filter;
  filter.most = 2 * static_cast<std::size_t>(std::ceil(stretch)) + 1;
  const auto count = static_cast<std::size_t>(target);
  filter.reaches = scratch.take<Reach>(count);
  filter.weights = scratch.take<std::int32_t>(count * filter.most);
  const auto exact = scratch.take<double>(filter.most);
  for (std::size_t i = 0; i < count; ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(center - stretch + 0.5));
    const int end = std::min(source, static_cast<int>(center + stretch + 0.5));
    double sum = 0;
    for (int s = first; s < end; ++s) {
      const double weight = std::max(0.0, 1 - std::abs((s - center + 0.5) * shrink));
      exact[static_cast<std::size_t>(s - first)] = weight;
      sum += weight;
    }
    for (int s = first; s < end; ++s) {
      const auto k = static_cast<std::size_t>(s - first);
      filter.weights[i * filter.most + k] =
          static_cast<std::int32_t>(0.5 + exact[k] / sum * (1 << kWeightBits));
    }
    filter.reaches[i] = {first, end - first};
  }
  return filter;
}

/// One row of RGB. `wide` holds a pixel in four integers, so that a sum is one vector.
NM_VECTORISED(resize_rgb_row,
              (const std::int32_t* NM_RESTRICT wide, const Reach* NM_RESTRICT reaches,
               const std::int32_t* NM_RESTRICT weights, std::size_t most, std::size_t columns,
               Byte* NM_RESTRICT out),
              (wide, reaches, weights, most, columns, out)) {
  for (std::size_t x = 0; x < columns; ++x) {
    const std::int32_t* from = wide + 4 * static_cast<std::ptrdiff_t>(reaches[x].first);
    std::int32_t sum[4] = {kHalf, kHalf, kHalf, kHalf};
    for (int k = 0; k < reaches[x].count; ++k)
      for (int c = 0; c < 4; ++c) sum[c] += weights[k] * from[4 * k + c];
    for (std::size_t c = 0; c < 3; ++c) out[3 * x + c] = static_cast<Byte>(sum[c] >> kWeightBits);
    weights += most;
  }
}

NM_VECTORISED(widen_rgb_row,
              (const Byte* NM_RESTRICT row, std::size_t pixels, std::int32_t* NM_RESTRICT wide),
              (row, pixels, wide)) {
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) wide[4 * i + c] = row[3 * i + c];
    wide[4 * i + 3] = 0;
  }
}

void resize_grey_row(const Byte* row, const Filter& filter, Byte* out) {
  for (std::size_t x = 0; x < filter.reaches.size(); ++x) {
    std::int32_t sum = kHalf;
    const std::int32_t* weights = filter.weights_of(x);
    for (int k = 0; k < filter.reaches[x].count; ++k) sum += weights[k] * row[filter.reaches[x].first + k];
    out[x] = static_cast<Byte>(sum >> kWeightBits);
  }
}

/// One target row as the weighted sum of rows that lie `stride` bytes apart.
NM_VECTORISED(weighted_rows,
              (const Byte* NM_RESTRICT rows, std::size_t stride, const std::int32_t* NM_RESTRICT weights,
               int count, std::size_t n, Byte* NM_RESTRICT out),
              (rows, stride, weights, count, n, out)) {
  constexpr std::size_t kBlock = 64;
  for (std::size_t begin = 0; begin < n; begin += kBlock) {
    std::int32_t sums[kBlock];
    for (std::size_t i = 0; i < kBlock; ++i) sums[i] = kHalf;
    const std::size_t size = n - begin < kBlock ? n - begin : kBlock;
    for (int k = 0; k < count; ++k) {
      const Byte* NM_RESTRICT row = rows + static_cast<std::size_t>(k) * stride + begin;
      for (std::size_t i = 0; i < size; ++i) sums[i] += weights[k] * row[i];
    }
    for (std::size_t i = 0; i < size; ++i) out[begin + i] = static_cast<Byte>(sums[i] >> kWeightBits);
  }
}

/// The box made `width` pixels wide; rows of width * channels bytes.
void resize_across(const Image& image, const PixelBox& box, int width, Scratch& scratch, Byte* out) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t offset = static_cast<std::size_t>(box.left) * channels;
  const std::size_t row_bytes = static_cast<std::size_t>(width) * channels;
  if (width == box.width) {
    for (int y = 0; y < box.height; ++y, out += row_bytes)
      std::memcpy(out, image.row(box.top + y) + offset, row_bytes);
    return;
  }
  const Scratch::Frame frame(scratch);
  const Filter filter = make_filter(box.width, width, scratch);
  const auto pixels = static_cast<std::size_t>(box.width);
  const auto wide = scratch.take<std::int32_t>(4 * pixels);
  for (int y = 0; y < box.height; ++y, out += row_bytes) {
    const Byte* row = image.row(box.top + y) + offset;
    if (channels == 1) {
      resize_grey_row(row, filter, out);
      continue;
    }
    widen_rgb_row(row, pixels, wide.data());
    resize_rgb_row(wide.data(), filter.reaches.data(), filter.weights.data(), filter.most,
                   static_cast<std::size_t>(width), out);
  }
}

void check(const Image& image, const PixelBox& box, int height, int width) {
  NM_CHECK(height >= 1 && width >= 1 && height <= kLargestSide && width <= kLargestSide, "[resize] target ",
           height, "x", width, ", expected sides of 1 to ", kLargestSide);
  NM_CHECK(image.channels == 1 || image.channels == 3, "[resize] ", image.channels,
           " channels, expected 1 or 3");
  NM_CHECK(image.height <= kLargestSide && image.width <= kLargestSide, "[resize] image ", image.height, "x",
           image.width, ", expected sides up to ", kLargestSide);
  NM_CHECK(box.height >= 1 && box.width >= 1 && box.top >= 0 && box.left >= 0 &&
               box.top <= image.height - box.height && box.left <= image.width - box.width,
           "[resize] box of ", box.height, "x", box.width, " at ", box.top, ", ", box.left,
           " does not lie in an image of ", image.height, "x", image.width);
}

}  // namespace

void bilinear_resize(const Image& image, const PixelBox& box, int height, int width, Scratch& scratch,
                     Image& out) {
  check(image, box, height, width);
  set_shape(out, height, width, image.channels);
  if (height == box.height) return resize_across(image, box, width, scratch, out.pixels.data());
  const Scratch::Frame frame(scratch);
  const auto narrow = scratch.take<Byte>(static_cast<std::size_t>(box.height) * out.stride());
  resize_across(image, box, width, scratch, narrow.data());
  const Filter filter = make_filter(box.height, height, scratch);
  for (int y = 0; y < height; ++y) {
    const auto i = static_cast<std::size_t>(y);
    const Reach reach = filter.reaches[i];
    weighted_rows(narrow.data() + static_cast<std::size_t>(reach.first) * out.stride(), out.stride(),
                  filter.weights_of(i), reach.count, out.stride(), out.row(y));
  }
}

}  // namespace noisymix
