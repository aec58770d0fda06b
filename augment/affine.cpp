// Bilinear affine maps: an exact routine in double precision, a fast one for RGB, and rotation.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <numbers>
#include <vector>

#include "augment/image_ops.h"
#include "augment/interpolation.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

int clamp_index(int i, int size) {
  return i < 0 ? 0 : (i >= size ? size - 1 : i);
}

// Four neighbouring floats as one vector: the channels of a pixel and one value that is ignored.
using Float4 = float __attribute__((vector_size(16)));
using Int4 = std::int32_t __attribute__((vector_size(16)));

inline __attribute__((always_inline)) Float4 load4(const float* p) {
  Float4 v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

/// Where one output row samples the source.
struct RowSamples {
  std::vector<std::int32_t> offset;  // of the upper left neighbour in Interpolation::source
  std::vector<std::int32_t> inside;
  std::vector<float> dx, dy;  // weights of the right and lower neighbours

  void resize(std::size_t width) {
    offset.resize(width);
    inside.resize(width);
    dx.resize(width);
    dy.resize(width);
  }
};

/// The largest whole number <= v, for |v| < 2^31.
inline __attribute__((always_inline)) std::int32_t floor_of(double v) {
  const auto whole = static_cast<std::int32_t>(v);
  return whole - static_cast<std::int32_t>(v < static_cast<double>(whole));
}

/// The coordinates in the same double arithmetic as the exact routine, so that neighbours and borders always
/// agree.
NM_VECTORISED(locate_samples,
              (std::int32_t * NM_RESTRICT offset, std::int32_t* NM_RESTRICT inside, float* NM_RESTRICT dx,
               float* NM_RESTRICT dy, const double* NM_RESTRICT m, int y, int width, int height, int stride),
              (offset, inside, dx, dy, m, y, width, height, stride)) {
  const double m0 = m[0], m1y = m[1] * (y + 0.5), m2 = m[2], m3 = m[3], m4y = m[4] * (y + 0.5), m5 = m[5];
  for (int x = 0; x < width; ++x) {
    const double u = m0 * (x + 0.5) + m1y + m2, v = m3 * (x + 0.5) + m4y + m5;
    inside[x] = static_cast<std::int32_t>(u >= 0.0) & static_cast<std::int32_t>(u < width) &
                static_cast<std::int32_t>(v >= 0.0) & static_cast<std::int32_t>(v < height);
    const double left = u - 0.5, upper = v - 0.5;
    const std::int32_t i = floor_of(left), j = floor_of(upper);
    dx[x] = static_cast<float>(left - i);
    dy[x] = static_cast<float>(upper - j);
    offset[x] = (j + 1) * stride + (i + 1) * 3;
  }
}

/// values[3x .. 3x+2] = the interpolated channels of columns [begin, end), truncated. Sets *doubtful when a
/// value is so close to a whole number that f32 may have truncated it wrongly.
NM_VECTORISED(interpolate_rgb,
              (std::int32_t * values, const float* source, std::size_t stride, const std::int32_t* offset,
               const float* dx, const float* dy, int begin, int end, bool* doubtful),
              (values, source, stride, offset, dx, dy, begin, end, doubtful)) {
  Int4 unsafe{};
  for (int x = begin; x < end; ++x) {
    const float* p = source + offset[x];
    const Float4 a = load4(p), b = load4(p + 3), c = load4(p + stride), d = load4(p + stride + 3);
    const Float4 upper_gap = b - a, lower_gap = d - c;
    const Float4 upper = a + upper_gap * dx[x], lower = c + lower_gap * dx[x];
    const Float4 gap = lower - upper;
    const Float4 value = upper + gap * dy[x];
    const Int4 whole = __builtin_convertvector(value, Int4);
    const Float4 rest = value - __builtin_convertvector(whole, Float4);
    // Between four equal neighbours every arithmetic is exact and all gaps are +0: flat areas need no second
    // look.
    const Int4 varied = (Int4)upper_gap | (Int4)lower_gap | (Int4)gap;
    unsafe |= ((rest < kTruncationGuard) | (rest > 1.0f - kTruncationGuard)) & (varied != 0);
    std::memcpy(values + 3 * x, &whole, sizeof whole);  // the fourth lane is overwritten by the next pixel
  }
  *doubtful = (unsafe[0] | unsafe[1] | unsafe[2]) != 0;
}

void affine_rgb(const Image& image, Image& out, const AffineMatrix& matrix) {
  thread_local RowSamples samples;
  Interpolation& work = interpolation();
  work.start(image);
  samples.resize(static_cast<std::size_t>(image.width));
  for (int y = 0; y < image.height; ++y) {
    locate_samples(samples.offset.data(), samples.inside.data(), samples.dx.data(), samples.dy.data(),
                   matrix.data(), y, image.width, image.height, static_cast<int>(work.stride));
    int begin = 0, end = image.width;  // an affine row leaves the image at most once on either side
    while (begin < end && samples.inside[static_cast<std::size_t>(begin)] == 0) ++begin;
    while (end > begin && samples.inside[static_cast<std::size_t>(end - 1)] == 0) --end;
    std::int32_t* row = work.values.data() + static_cast<std::size_t>(y) * image.stride();
    bool doubtful = false;
    interpolate_rgb(row, work.source.data(), work.stride, samples.offset.data(), samples.dx.data(),
                    samples.dy.data(), begin, end, &doubtful);
    std::fill(row, row + 3 * begin, 0);
    std::fill(row + 3 * end, row + image.stride(), 0);
    if (doubtful) work.doubtful.push_back(y);
  }
  work.finish(image, out, matrix);
}

/// Whether all coordinates, and offsets made from them, stay inside the range of 32-bit integers: below, |j|
/// < 2^18.2 and stride < 2^12.6.
bool is_moderate(const Image& image, const AffineMatrix& m) {
  bool moderate = image.width <= 2048 && image.height <= 2048;
  for (std::size_t i = 0; i < 6; ++i) moderate = moderate && std::abs(m[i]) < (i % 3 == 2 ? 16384 : 64);
  return moderate;
}

double round_to_15_decimals(double v) {
  std::array<char, 32> text;
  const auto written = std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::fixed, 15);
  std::from_chars(text.data(), written.ptr, v);
  return v;
}

struct CosSin {
  double cos, sin;
};

CosSin rounded_cos_sin(double degrees) {
  const double angle = -(degrees * (std::numbers::pi / 180));
  return {round_to_15_decimals(std::cos(angle)), round_to_15_decimals(std::sin(angle))};
}

/// The same for a whole number of degrees, 0..359, from a table: AugMix knows no others.
const CosSin& rounded_cos_sin_of_whole(int degrees) {
  static const auto table = [] {
    std::array<CosSin, 360> values;
    for (int i = 0; i < 360; ++i) values[static_cast<std::size_t>(i)] = rounded_cos_sin(i);
    return values;
  }();
  return table[static_cast<std::size_t>(degrees)];
}

/// The angle in [0, 360).
double reduced(double degrees) {
  const double rest = std::fmod(degrees, 360.0);
  return rest < 0 ? rest + 360.0 : rest;
}

/// Quarter turns counter-clockwise, without interpolation; 1 and 3 need a square image.
void turn(const Image& image, Image& out, int quarters) {
  set_shape_like(out, image);
  const auto channels = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int from_y = quarters == 1 ? x : quarters == 2 ? image.height - 1 - y : image.width - 1 - x;
      const int from_x = quarters == 1 ? image.width - 1 - y : quarters == 2 ? image.width - 1 - x : y;
      std::memcpy(out.row(y) + static_cast<std::size_t>(x) * channels,
                  image.row(from_y) + static_cast<std::size_t>(from_x) * channels, channels);
    }
  }
}

}  // namespace

void affine_row_exact(const Image& image, Image& out, const AffineMatrix& matrix, int y, int begin, int end) {
  const int channels = image.channels;
  for (int x = begin; x < end; ++x) {
    std::uint8_t* to = out.row(y) + x * channels;
    const double u = matrix[0] * (x + 0.5) + matrix[1] * (y + 0.5) + matrix[2];
    const double v = matrix[3] * (x + 0.5) + matrix[4] * (y + 0.5) + matrix[5];
    if (!(u >= 0 && u < image.width && v >= 0 && v < image.height)) {
      std::fill(to, to + channels, std::uint8_t{0});
      continue;
    }
    const int i = static_cast<int>(std::floor(u - 0.5)), j = static_cast<int>(std::floor(v - 0.5));
    const double dx = u - 0.5 - i, dy = v - 0.5 - j;
    const std::uint8_t* upper = image.row(clamp_index(j, image.height));
    const std::uint8_t* lower = image.row(clamp_index(j + 1, image.height));
    const int left = clamp_index(i, image.width) * channels,
              right = clamp_index(i + 1, image.width) * channels;
    for (int c = 0; c < channels; ++c) {
      const double top = upper[left + c] + (upper[right + c] - upper[left + c]) * dx;
      const double bottom = lower[left + c] + (lower[right + c] - lower[left + c]) * dx;
      to[c] = static_cast<std::uint8_t>(top + (bottom - top) * dy);
    }
  }
}

void affine(const Image& image, Image& out, const AffineMatrix& matrix) {
  set_shape_like(out, image);
  if (image.channels == 3 && image.height > 0 && image.width > 0 && is_moderate(image, matrix))
    return affine_rgb(image, out, matrix);
  for (int y = 0; y < image.height; ++y) affine_row_exact(image, out, matrix, y, 0, image.width);
}

AffineMatrix rotation_matrix(int width, int height, double degrees) {
  const double angle = reduced(degrees);
  const CosSin cs =
      angle == std::floor(angle) ? rounded_cos_sin_of_whole(static_cast<int>(angle)) : rounded_cos_sin(angle);
  const double centre_x = width / 2.0, centre_y = height / 2.0;
  AffineMatrix m{cs.cos, cs.sin, 0, -cs.sin, cs.cos, 0};
  m[2] = m[0] * -centre_x + m[1] * -centre_y + centre_x;
  m[5] = m[3] * -centre_x + m[4] * -centre_y + centre_y;
  return m;
}

void rotate(const Image& image, Image& out, double degrees) {
  NM_CHECK(std::isfinite(degrees), "[rotate] the angle must be finite");
  const double angle = reduced(degrees);
  if (angle == 0) {
    out = image;
  } else if (angle == 180) {
    turn(image, out, 2);
  } else if ((angle == 90 || angle == 270) && image.width == image.height) {
    turn(image, out, angle == 90 ? 1 : 3);
  } else {
    affine(image, out, rotation_matrix(image.width, image.height, angle));
  }
}

}  // namespace noisymix
