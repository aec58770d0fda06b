// Bytes as numbers of 0..1, and back: tables one way, because a division per value takes longer.
#include "augment/filters/unit_values.h"

#include <array>

#include "engine/cpu/vectorise.h"

namespace noisymix {
namespace {

constexpr std::array<double, 256> levels_over(double largest) {
  std::array<double, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) table[i] = static_cast<double>(i) / largest;
  return table;
}
constexpr std::array<double, 256> kUnit = levels_over(255), kGreyLevels = levels_over(1);

NM_VECTORISED(clip_and_scale, (double* values, std::size_t count), (values, count)) {
  for (std::size_t i = 0; i < count; ++i) {
    const double positive = values[i] > 0 ? values[i] : 0;
    values[i] = (positive < 1 ? positive : 1) * 255;
  }
}

NM_VECTORISED(truncate, (const double* NM_RESTRICT values, std::size_t count, std::uint8_t* NM_RESTRICT out),
              (values, count, out)) {
  for (std::size_t i = 0; i < count; ++i)
    out[i] = static_cast<std::uint8_t>(static_cast<std::int32_t>(values[i]));
}

}  // namespace

const double* unit_table() {
  return kUnit.data();
}
const double* grey_level_table() {
  return kGreyLevels.data();
}

void look_up(const std::uint8_t* bytes, std::size_t count, const double* table, double* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = table[bytes[i]];
}

void to_grey_levels(double* values, std::size_t count) {
  clip_and_scale(values, count);
}

void truncate_to_bytes(const double* values, std::size_t count, std::uint8_t* out) {
  truncate(values, count, out);
}

void shape_like(const Image& image, Image& out) {
  out.height = image.height;
  out.width = image.width;
  out.channels = image.channels;
  out.pixels.resize(image.pixels.size());
}

}  // namespace noisymix
