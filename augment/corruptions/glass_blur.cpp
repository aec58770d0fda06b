#include "augment/corruptions/glass_blur.h"

#include <algorithm>
#include <utility>

#include "augment/filters/gaussian_filter.h"
#include "augment/filters/random_fields.h"
#include "augment/filters/unit_values.h"
#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

class GlassBlur final : public Corruption {
 public:
  GlassBlur(const GlassRow& row, bool swap) : row_(row), swap_(swap) {}
  void apply(const Image& image, Key key, Scratch& scratch, Image& out) const override {
    const Scratch::Frame frame(scratch);
    glass_blur(image, draw_glass(key, image.height, image.width, row_, scratch), row_, swap_, scratch, out);
  }

 private:
  GlassRow row_;
  bool swap_;
};

NM_VECTORISED(to_shifts,
              (const float* NM_RESTRICT uniform, std::size_t count, int delta, std::int8_t* NM_RESTRICT out),
              (uniform, count, delta, out)) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::int8_t>(static_cast<std::int32_t>(uniform[i] * static_cast<float>(2 * delta)) -
                                      delta);
}

NM_VECTORISED(count_outside, (const std::int8_t* shifts, std::size_t count, int delta, int& outside),
              (shifts, count, delta, outside)) {
  int found = 0;
  for (std::size_t i = 0; i < count; ++i) found += shifts[i] < -delta || shifts[i] >= delta ? 1 : 0;
  outside = found;
}

/// How many positions of a side a sweep visits.
int visited(int side, int delta) {
  return std::max(0, side - 2 * delta);
}

/// A pixel fits into one word, so that it moves at once.
void shuffle(std::uint32_t* pixels, int height, int width, std::span<const std::int8_t> shifts,
             const GlassRow& row, bool swap) {
  const std::int8_t* next = shifts.data();
  for (int i = 0; i < row.iterations; ++i)
    for (int y = height - row.delta; y > row.delta; --y)
      for (int x = width - row.delta; x > row.delta; --x, next += 2) {
        std::uint32_t& here = pixels[y * width + x];
        std::uint32_t& there = pixels[(y + next[1]) * width + x + next[0]];
        const std::uint32_t was = here;
        here = there;
        if (swap) there = was;
      }
}

void pack(const std::uint8_t* bytes, std::size_t pixels, int channels, std::uint32_t* words) {
  if (channels == 1) {
    std::copy_n(bytes, pixels, words);
    return;
  }
  for (std::size_t i = 0; i < pixels; ++i, bytes += 3)
    words[i] = bytes[0] | std::uint32_t{bytes[1]} << 8 | std::uint32_t{bytes[2]} << 16;
}

/// The numbers of 0..1 that bytes in words stand for.
void unpack(const std::uint32_t* words, std::size_t pixels, int channels, double* values) {
  const double* table = unit_table();
  if (channels == 1) {
    for (std::size_t i = 0; i < pixels; ++i) values[i] = table[words[i]];
    return;
  }
  for (std::size_t i = 0; i < pixels; ++i, values += 3) {
    const std::uint32_t word = words[i];
    values[0] = table[word & 255];
    values[1] = table[word >> 8 & 255];
    values[2] = table[word >> 16];
  }
}

}  // namespace

std::size_t glass_calls(int height, int width, const GlassRow& row) {
  return static_cast<std::size_t>(row.iterations) * static_cast<std::size_t>(visited(height, row.delta)) *
         static_cast<std::size_t>(visited(width, row.delta));
}

std::span<const std::int8_t> draw_glass(Key key, int height, int width, const GlassRow& row,
                                        Scratch& scratch) {
  const std::size_t count = 2 * glass_calls(height, width, row);
  const auto shifts = scratch.take<std::int8_t>(count);
  const Scratch::Frame frame(scratch);
  const auto uniform = scratch.take<float>(count);
  fill_uniform(key, uniform);
  to_shifts(uniform.data(), count, row.delta, shifts.data());
  return shifts;
}

void glass_blur(const Image& image, std::span<const std::int8_t> shifts, const GlassRow& row, bool swap,
                Scratch& scratch, double* values) {
  const int height = image.height, width = image.width, channels = image.channels;
  const std::size_t calls = glass_calls(height, width, row), count = image.pixels.size();
  NM_CHECK(shifts.size() == 2 * calls, "[glass_blur] ", shifts.size(), " shifts, expected ", 2 * calls);
  int outside = 0;
  count_outside(shifts.data(), shifts.size(), row.delta, outside);
  NM_CHECK(outside == 0, "[glass_blur] ", outside, " shifts are not from ", -row.delta, " to ",
           row.delta - 1);
  const Scratch::Frame frame(scratch);
  const auto blur = [&] {
    gaussian_filter(values, values, height, width, channels, row.sigma, 4.0, Border::nearest, scratch);
    to_grey_levels(values, count);
  };
  look_up(image.pixels.data(), count, unit_table(), values);
  blur();
  const auto bytes = scratch.take<std::uint8_t>(count);
  truncate_to_bytes(values, count, bytes.data());
  const std::size_t pixels = count / static_cast<std::size_t>(channels);
  const auto words = scratch.take<std::uint32_t>(pixels);
  pack(bytes.data(), pixels, channels, words.data());
  shuffle(words.data(), height, width, shifts, row, swap);
  unpack(words.data(), pixels, channels, values);
  blur();
}

void glass_blur(const Image& image, std::span<const std::int8_t> shifts, const GlassRow& row, bool swap,
                Scratch& scratch, Image& out) {
  const Scratch::Frame frame(scratch);
  const auto values = scratch.take<double>(image.pixels.size());
  glass_blur(image, shifts, row, swap, scratch, values.data());
  shape_like(image, out);
  truncate_to_bytes(values.data(), values.size(), out.pixels.data());
}

std::unique_ptr<Corruption> make_glass_blur(ParameterSet set, int severity, bool swap) {
  NM_CHECK_AS(ConfigError, severity >= 1 && severity <= kSeverities, "[glass_blur] severity is ", severity,
              ", expected 1 to 5");
  return std::make_unique<GlassBlur>(kGlassBlur[static_cast<std::size_t>(set)][severity - 1], swap);
}

}  // namespace noisymix
