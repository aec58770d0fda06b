// A tiny font for labels in pictures: 5 x 7 dots a character, drawn for this program.
#pragma once

#include <cstdint>
#include <string_view>

#include "augment/image.h"

namespace noisymix {

struct Rgb {
  std::uint8_t r = 0, g = 0, b = 0;
};

constexpr int kGlyphHeight = 7, kGlyphAdvance = 6;  ///< in dots, tails below the line not counted

/// Width in pixels with every dot a square of side `scale`.
int text_width(std::string_view text, int scale);

/// Draws onto an RGB image with the upper left corner at (x, y), cut off at the borders. Characters outside
/// printable ASCII become "?".
void draw_text(Image& image, int x, int y, std::string_view text, int scale, Rgb color);

}  // namespace noisymix
