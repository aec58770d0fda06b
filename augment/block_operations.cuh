// The operations of AugMix on one image by one block of threads: the bytes of image_ops.h. Contraction must
// be off
// (-fmad=false), because truncation turns a difference in the last bit into one of a grey level.
#pragma once

#include <cmath>
#include <cstdint>

#include "augment/augmix.h"
#include "augment/block_tables.cuh"

namespace noisymix::cuda::block {

struct BlockShape {
  int height, width;
  NM_HOST_DEVICE int pixels() const { return height * width; }
};

/// An operation and its parameter, see step_parameter().
struct BlockStep {
  Operation operation;
  double number;
};

constexpr int kMostDegrees = 30;  ///< of a rotation at level 10
/// Entries 0, 1, 2 and 5 of rotation_matrix() for -30..30 degrees; the CPU makes them, because they are
/// rounded to decimals. Entries 3 and 4 are minus entry 1, and entry 0.
struct Rotations {
  double of[2 * kMostDegrees + 1][4];
};

template <int kChannels>
__device__ inline void set_black(std::uint8_t* pixel) {
  for (int c = 0; c < kChannels; ++c) pixel[c] = 0;
}

/// Between a and b (above) and c and d (below), in the order of affine_row_exact().
template <typename T>
__device__ inline T between(int a, int b, int c, int d, T dx, T dy) {
  const T top = static_cast<T>(a) + static_cast<T>(b - a) * dx;
  const T bottom = static_cast<T>(c) + static_cast<T>(d - c) * dx;
  return top + (bottom - top) * dy;
}

/// The same truncated. f32 decides where its error cannot change the result: two weights rounded by 2^-25
/// times 255, and eight roundings of numbers below 256 by 2^-17 are 7.7e-5 together.
__device__ inline std::uint8_t truncated_between(int a, int b, int c, int d, double dx, double dy) {
  constexpr float kGuard = 1e-4f;
  if (a == b && c == d && a == c) return static_cast<std::uint8_t>(a);
  const float value = between<float>(a, b, c, d, static_cast<float>(dx), static_cast<float>(dy));
  const int least = static_cast<int>(value - kGuard), most = static_cast<int>(value + kGuard);
  if (least == most) return static_cast<std::uint8_t>(most);
  return static_cast<std::uint8_t>(static_cast<int>(between<double>(a, b, c, d, dx, dy)));
}

__device__ inline int clamped(int i, int size) {
  return i < 0 ? 0 : (i >= size ? size - 1 : i);
}

/// affine() with the matrix (m0, m1, m2, m3, m4, m5). Coordinates are doubles: they decide which pixels are
/// meant.
template <int kChannels>
__device__ void affine(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, double m0, double m1,
                       double m2, double m3, double m4, double m5) {
  const int stride = shape.width * kChannels;
  NM_BLOCK_EACH(p, shape.pixels()) {
    const int y = p / shape.width, x = p - y * shape.width;
    const double u = m0 * (x + 0.5) + m1 * (y + 0.5) + m2, v = m3 * (x + 0.5) + m4 * (y + 0.5) + m5;
    if (!(u >= 0 && u < shape.width && v >= 0 && v < shape.height)) {
      set_black<kChannels>(out + kChannels * p);
      continue;
    }
    const int i = static_cast<int>(std::floor(u - 0.5)), j = static_cast<int>(std::floor(v - 0.5));
    const double dx = u - 0.5 - i, dy = v - 0.5 - j;
    const std::uint8_t* upper = in + clamped(j, shape.height) * stride;
    const std::uint8_t* lower = in + clamped(j + 1, shape.height) * stride;
    const int left = clamped(i, shape.width) * kChannels, right = clamped(i + 1, shape.width) * kChannels;
    for (int c = 0; c < kChannels; ++c)
      out[kChannels * p + c] =
          truncated_between(upper[left + c], upper[right + c], lower[left + c], lower[right + c], dx, dy);
  }
}

__device__ inline void copy(const std::uint8_t* in, std::uint8_t* out, int bytes) {
  NM_BLOCK_EACH(i, bytes) out[i] = in[i];
}

template <int kChannels>
__device__ void rotate(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, int degrees,
                       const Rotations& rotations) {
  if (degrees == 0) return copy(in, out, shape.pixels() * kChannels);
  const double* m = rotations.of[degrees + kMostDegrees];
  affine<kChannels>(in, out, shape, m[0], m[1], m[2], -m[1], m[0], m[3]);
}

/// out(y, x) = in(y + down, x + right), black outside.
template <int kChannels>
__device__ void translate(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, int down, int right) {
  NM_BLOCK_EACH(p, shape.pixels()) {
    const int y = p / shape.width, x = p - y * shape.width, from_y = y + down, from_x = x + right;
    if (from_y < 0 || from_y >= shape.height || from_x < 0 || from_x >= shape.width) {
      set_black<kChannels>(out + kChannels * p);
      continue;
    }
    const std::uint8_t* from = in + (from_y * shape.width + from_x) * kChannels;
    for (int c = 0; c < kChannels; ++c) out[kChannels * p + c] = from[c];
  }
}

/// degenerate + factor * (value - degenerate), truncated and clipped.
__device__ inline std::uint8_t blended(int value, int degenerate, float factor) {
  const int result =
      static_cast<int>(static_cast<float>(degenerate) + factor * static_cast<float>(value - degenerate));
  return static_cast<std::uint8_t>(result < 0 ? 0 : (result > 255 ? 255 : result));
}

template <int kChannels>
__device__ inline int luminance(const std::uint8_t* pixel) {
  if constexpr (kChannels == 1) return pixel[0];
  return static_cast<int>((19595u * pixel[0] + 38470u * pixel[1] + 7471u * pixel[2] + 32768u) >> 16);
}

template <int kChannels>
__device__ void color(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, float factor) {
  if constexpr (kChannels == 1) {
    copy(in, out, shape.pixels());
  } else {
    NM_BLOCK_EACH(p, shape.pixels()) {
      const int grey = luminance<kChannels>(in + kChannels * p);
      for (int c = 0; c < kChannels; ++c)
        out[kChannels * p + c] = blended(in[kChannels * p + c], grey, factor);
    }
  }
}

__device__ inline void blend_with_constant(const std::uint8_t* in, std::uint8_t* out, int bytes, int constant,
                                           float factor) {
  NM_BLOCK_EACH(i, bytes) out[i] = blended(in[i], constant, factor);
}

template <int kChannels>
__device__ void contrast(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, float factor) {
  unsigned long long own = 0;
  NM_BLOCK_EACH(p, shape.pixels()) own += static_cast<unsigned>(luminance<kChannels>(in + kChannels * p));
  const unsigned long long sum = block_sum(own);
  const double mean = static_cast<double>(sum) / static_cast<double>(shape.pixels());
  blend_with_constant(in, out, shape.pixels() * kChannels, static_cast<int>(mean + 0.5), factor);
}

template <int kChannels>
__device__ void sharpness(const std::uint8_t* in, std::uint8_t* out, BlockShape shape, float factor) {
  const int stride = shape.width * kChannels;
  NM_BLOCK_EACH(i, shape.pixels() * kChannels) {
    const int y = i / stride, at = i - y * stride;
    int smooth = in[i];  // the border stays
    if (y > 0 && y + 1 < shape.height && at >= kChannels && at + kChannels < stride) {
      const std::uint8_t *above = in + i - stride, *row = in + i, *below = in + i + stride;
      const int around = above[-kChannels] + above[0] + above[kChannels] + row[-kChannels] + row[kChannels] +
                         below[-kChannels] + below[0] + below[kChannels];
      smooth = (2 * (around + 5 * row[0]) + 13) / 26;  // sum / 13, rounded; never a tie
    }
    out[i] = blended(in[i], smooth, factor);
  }
}

__device__ inline void posterize(const std::uint8_t* in, std::uint8_t* out, int bytes, int bits) {
  const int mask = 0xFF << (8 - bits);
  NM_BLOCK_EACH(i, bytes) out[i] = static_cast<std::uint8_t>(in[i] & mask);
}

__device__ inline void solarize(const std::uint8_t* in, std::uint8_t* out, int bytes, int threshold) {
  NM_BLOCK_EACH(i, bytes) out[i] = static_cast<std::uint8_t>(in[i] < threshold ? in[i] : 255 - in[i]);
}

/// One step. All threads of the block call it; `in` is complete before, `out` after the caller's next
/// barrier.
template <int kChannels>
__device__ void apply_step(const BlockStep& step, const std::uint8_t* in, std::uint8_t* out, BlockShape shape,
                           const Rotations& rotations, BlockTables& tables) {
  const int bytes = shape.pixels() * kChannels, whole = static_cast<int>(step.number);
  const float factor = static_cast<float>(step.number);
  switch (step.operation) {
    case Operation::autocontrast:
      return autocontrast<kChannels>(in, out, shape.pixels(), tables);
    case Operation::equalize:
      return equalize<kChannels>(in, out, shape.pixels(), tables);
    case Operation::posterize:
      return posterize(in, out, bytes, whole);
    case Operation::rotate:
      return rotate<kChannels>(in, out, shape, whole, rotations);
    case Operation::solarize:
      return solarize(in, out, bytes, whole);
    case Operation::shear_x:
      return affine<kChannels>(in, out, shape, 1, step.number, 0, 0, 1, 0);
    case Operation::shear_y:
      return affine<kChannels>(in, out, shape, 1, 0, 0, step.number, 1, 0);
    case Operation::translate_x:
      return translate<kChannels>(in, out, shape, 0, whole);
    case Operation::translate_y:
      return translate<kChannels>(in, out, shape, whole, 0);
    case Operation::color:
      return color<kChannels>(in, out, shape, factor);
    case Operation::contrast:
      return contrast<kChannels>(in, out, shape, factor);
    case Operation::brightness:
      return blend_with_constant(in, out, bytes, 0, factor);
    case Operation::sharpness:
      return sharpness<kChannels>(in, out, shape, factor);
  }
}

}  // namespace noisymix::cuda::block
