#include "augment/filters/box_resize.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <type_traits>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

using Byte = std::uint8_t;
constexpr int kWeightBits = 22, kHalf = 1 << (kWeightBits - 1);

/// Source positions of a target position and their weight, the same for all: a pixel counts or it does not.
struct Taps {
  int first, count, weight;
};

/// A pixel belongs to the target whose interval, open on the left, contains its centre.
void make_taps(int source, std::span<Taps> all) {
  const double scale = static_cast<double>(source) / static_cast<double>(all.size());
  const double stretch = std::max(scale, 1.0), reach = 0.5 * stretch, shrink = 1 / stretch;
  int last_count = 1, last_weight = 1 << kWeightBits;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const double center = (static_cast<double>(i) + 0.5) * scale;
    const auto covered = [&](int s) {
      const double place = (s - center + 0.5) * shrink;
      return place > -0.5 && place <= 0.5;
    };
    int begin = std::max(0, static_cast<int>(center - reach + 0.5));
    int end = std::min(source, static_cast<int>(center + reach + 0.5));
    while (begin < end - 1 && !covered(begin)) ++begin;
    while (end > begin + 1 && !covered(end - 1)) --end;
    if (end - begin != last_count) {
      last_count = end - begin;
      last_weight = static_cast<int>(0.5 + 1.0 / last_count * (1 << kWeightBits));
    }
    all[i] = {begin, last_count, last_weight};
  }
}

/// Means of two in every byte, halves up: what weights of one half come to.
template <class Bytes>
Bytes mean_of_two(Bytes a, Bytes b) {
  return static_cast<Bytes>((a | b) - (((a ^ b) >> 1) & static_cast<Bytes>(0x7f7f7f7fu)));
}

/// Along rows. A pixel is moved as a whole, three channels in four bytes: both arrays need a byte to spare at
/// the end of every row of `out` and at the end of `in`.
template <int kChannels>
void resize_rows(const Byte* in, std::size_t in_stride, int height, std::span<const Taps> taps, Byte* out,
                 std::size_t out_stride) {
  using Pixel = std::conditional_t<kChannels == 3, std::uint32_t, Byte>;
  const auto load = [](const Byte* at) {
    Pixel pixel;
    std::memcpy(&pixel, at, sizeof(pixel));
    return pixel;
  };
  for (const Taps& t : taps) {
    const Byte* from = in + t.first * kChannels;
    Byte* to = out + (&t - taps.data()) * kChannels;
    for (int y = 0; y < height; ++y, from += in_stride, to += out_stride) {
      if (t.count <= 2) {
        const Pixel first = load(from);
        const Pixel pixel = t.count == 1 ? first : mean_of_two(first, load(from + kChannels));
        std::memcpy(to, &pixel, sizeof(pixel));
        continue;
      }
      for (int c = 0; c < kChannels; ++c) {
        int sum = 0;
        for (int i = 0; i < t.count; ++i) sum += from[i * kChannels + c];
        // In 64 bits: no sum of weights exceeds 2^22 by more than the count, yet sides are not bounded.
        to[c] = static_cast<Byte>(
            std::min<std::int64_t>(255, (static_cast<std::int64_t>(sum) * t.weight + kHalf) >> kWeightBits));
      }
    }
  }
}

NM_VECTORISED(mean_of_rows,
              (const Byte* NM_RESTRICT a, const Byte* NM_RESTRICT b, int n, Byte* NM_RESTRICT out),
              (a, b, n, out)) {
  for (int i = 0; i < n; ++i) out[i] = static_cast<Byte>((a[i] + b[i] + 1) >> 1);
}

NM_VECTORISED(sum_of_rows,
              (const Byte* NM_RESTRICT in, std::size_t stride, Taps t, int n, Byte* NM_RESTRICT out),
              (in, stride, t, n, out)) {
  constexpr int kBlock = 64;
  for (int begin = 0; begin < n; begin += kBlock) {
    int sums[kBlock] = {};
    const int size = n - begin < kBlock ? n - begin : kBlock;
    for (int k = 0; k < t.count; ++k) {
      const Byte* NM_RESTRICT row = in + static_cast<std::size_t>(k) * stride + begin;
      for (int i = 0; i < size; ++i) sums[i] += row[i];
    }
    for (int i = 0; i < size; ++i) {
      const std::int64_t value = (static_cast<std::int64_t>(sums[i]) * t.weight + kHalf) >> kWeightBits;
      out[begin + i] = static_cast<Byte>(value > 255 ? 255 : value);
    }
  }
}

}  // namespace

void box_resize(const Byte* in, int in_height, int in_width, int channels, Byte* out, int out_height,
                int out_width, Scratch& scratch) {
  const Scratch::Frame frame(scratch);
  const auto in_row = static_cast<std::size_t>(in_width * channels);
  const auto out_row = static_cast<std::size_t>(out_width * channels);
  const auto height = static_cast<std::size_t>(in_height);

  std::size_t stride = in_row;
  const auto across = scratch.take<Taps>(static_cast<std::size_t>(out_width));
  if (out_width != in_width) {
    make_taps(in_width, across);
    const auto padded = scratch.take<Byte>(height * in_row + 1);
    std::memcpy(padded.data(), in, height * in_row);
    padded.back() = 0;
    stride = out_row + 1;
    const auto narrow = scratch.take<Byte>(height * stride);
    (channels == 3 ? resize_rows<3> : resize_rows<1>)(padded.data(), in_row, in_height, across, narrow.data(),
                                                      stride);
    in = narrow.data();
  }
  const bool same = out_height == in_height;
  const auto down = scratch.take<Taps>(static_cast<std::size_t>(out_height));
  if (!same) make_taps(in_height, down);
  const int n = out_width * channels;
  for (int y = 0; y < out_height; ++y, out += out_row) {
    const Taps t = same ? Taps{y, 1, 0} : down[static_cast<std::size_t>(y)];
    const Byte* from = in + static_cast<std::size_t>(t.first) * stride;
    if (t.count == 1)
      std::memcpy(out, from, out_row);
    else if (t.count == 2)
      mean_of_rows(from, from + stride, n, out);
    else
      sum_of_rows(from, stride, t, n, out);
  }
}

void box_resize(const Image& image, int height, int width, Scratch& scratch, Image& out) {
  NM_CHECK(height >= 1 && width >= 1 && image.height >= 1 && image.width >= 1, "[box_resize] ", image.height,
           "x", image.width, " to ", height, "x", width, ": sides must be positive");
  NM_CHECK(image.channels == 1 || image.channels == 3, "[box_resize] ", image.channels,
           " channels, expected 1 or 3");
  out.height = height;
  out.width = width;
  out.channels = image.channels;
  out.pixels.resize(static_cast<std::size_t>(height) * out.stride());
  box_resize(image.pixels.data(), image.height, image.width, image.channels, out.pixels.data(), height, width,
             scratch);
}

}  // namespace noisymix
