#include "augment/filters/random_fields.h"

#include <cmath>
#include <cstddef>
#include <numbers>

namespace noisymix {

void fill_normal(Key key, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto words = key.block(i / 4);
    for (std::size_t j = 0; j < 4 && i + j < out.size(); ++j) {
      const double u = (words[j & 2] + 1.0) * 0x1p-32, v = words[(j & 2) + 1] * 0x1p-32;
      const double radius = std::sqrt(-2 * std::log(u)), angle = 2 * std::numbers::pi * v;
      out[i + j] = static_cast<float>(radius * (j % 2 == 0 ? std::cos(angle) : std::sin(angle)));
    }
  }
}

void fill_uniform(Key key, std::span<float> out) {
  for (std::size_t i = 0; i < out.size(); i += 4) {
    const auto words = key.block(i / 4);
    for (std::size_t j = 0; j < 4 && i + j < out.size(); ++j)
      out[i + j] = static_cast<float>(words[j] >> 8) * 0x1p-24f;
  }
}

}  // namespace noisymix
