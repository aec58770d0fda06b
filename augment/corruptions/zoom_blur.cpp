#include "augment/corruptions/zoom_blur.h"

#include <algorithm>
#include <array>

#include "augment/filters/unit_values.h"
#include "augment/filters/zoom_sum.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kPublishedSide[] = {32, 64, 224};  // of the images a parameter set was made for

constexpr std::array<float, 256> kUnit = [] {
  std::array<float, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<float>(static_cast<double>(i) / 255);
  return table;
}();

/// From the sum of `count` enlargements to 0 .. 255.
NM_VECTORISED(finish, (const float* NM_RESTRICT planes, float* NM_RESTRICT sum, std::size_t n, float count),
              (planes, sum, n, count)) {
  for (std::size_t i = 0; i < n; ++i) {
    const float mean = (planes[i] + sum[i]) / (count + 1);
    const float positive = mean > 0 ? mean : 0;
    sum[i] = (positive < 1 ? positive : 1) * 255;
  }
}

/// The result in planes, as add_zooms() lays them out, in `scratch`.
std::span<const float> blurred_planes(const Image& image, const ZoomTables& tables, int count,
                                      Scratch& scratch) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto width = static_cast<std::size_t>(image.width), stride = zoom_stride(image.width);
  const std::size_t plane = static_cast<std::size_t>(image.height) * stride;
  const std::size_t size = zoom_planes_size(image.height, image.width, image.channels);
  const auto planes = scratch.take<float>(size), sum = scratch.take<float>(size);
  std::fill(sum.begin(), sum.end(), 0.0f);
  std::fill(planes.begin() + static_cast<std::ptrdiff_t>(channels * plane), planes.end(), 0.0f);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* from = image.row(y);
    for (std::size_t c = 0; c < channels; ++c) {
      float* to = planes.data() + c * plane + static_cast<std::size_t>(y) * stride;
      for (std::size_t x = 0; x < width; ++x) to[x] = kUnit[from[x * channels + c]];
      std::fill(to + width, to + stride, 0.0f);
    }
  }
  add_zooms(planes.data(), image.channels, tables, sum.data(), scratch);
  finish(planes.data(), sum.data(), channels * plane, static_cast<float>(count));
  return sum;
}

/// From planes to pixels.
template <class T>
void interleave(std::span<const float> planes, const Image& image, T* out) {
  const auto channels = static_cast<std::size_t>(image.channels);
  const auto width = static_cast<std::size_t>(image.width), stride = zoom_stride(image.width);
  const std::size_t plane = static_cast<std::size_t>(image.height) * stride;
  for (std::size_t y = 0; y < static_cast<std::size_t>(image.height); ++y)
    for (std::size_t x = 0; x < width; ++x)
      for (std::size_t c = 0; c < channels; ++c) {
        const float value = planes[c * plane + y * stride + x];
        if constexpr (std::is_same_v<T, std::uint8_t>)
          *out++ = static_cast<std::uint8_t>(static_cast<std::int32_t>(value));
        else
          *out++ = value;
      }
}

void blur(const Image& image, const ZoomTables& tables, int count, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  shape_like(image, out);
  interleave(blurred_planes(image, tables, count, scratch), image, out.pixels.data());
}

class ZoomBlur final : public Corruption {
 public:
  ZoomBlur(const ZoomRow& row, int side)
      : factors_(zoom_factors(row)), published_(zoom_tables(side, side, factors_, memory_)) {}
  void apply(const Image& image, Key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    const bool ready = image.height == published_.height && image.width == published_.width;
    blur(image, ready ? published_ : zoom_tables(image.height, image.width, factors_, scratch),
         static_cast<int>(factors_.size()), scratch, out);
  }

 private:
  std::vector<double> factors_;
  Scratch memory_;  ///< of the tables below
  ZoomTables published_;
};

}  // namespace

std::vector<double> zoom_factors(const ZoomRow& row) {
  const double step = (1 + row.step) - 1;  // a range takes the distance of its first two values
  std::vector<double> factors(static_cast<std::size_t>(row.count));
  for (std::size_t i = 0; i < factors.size(); ++i) factors[i] = 1 + static_cast<double>(i) * step;
  return factors;
}

void zoom_blur(const Image& image, const ZoomRow& row, Scratch& scratch, float* values) {
  const Scratch::Frame frame(scratch);
  const ZoomTables tables = zoom_tables(image.height, image.width, zoom_factors(row), scratch);
  interleave(blurred_planes(image, tables, row.count, scratch), image, values);
}

void zoom_blur(const Image& image, const ZoomRow& row, Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  blur(image, zoom_tables(image.height, image.width, zoom_factors(row), scratch), row.count, scratch, out);
}

std::unique_ptr<Corruption> make_zoom_blur(ParameterSet set, int severity) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[zoom_blur] severity is ", severity,
              ", expected 1 to 5");
  const auto s = static_cast<std::size_t>(set);
  return std::make_unique<ZoomBlur>(kZoomBlur[s][severity - 1], kPublishedSide[s]);
}

}  // namespace noisymix
