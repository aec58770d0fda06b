// Procedural pictures of frost.
#include "augment/corruptions/ice.h"

#include <doctest/doctest.h>

#include <cmath>
#include <cstdint>

using namespace noisymix;

namespace {

struct Statistics {
  double mean[3] = {},
         contrast = 0;  ///< of the channels; deviation of grey within parts of 64 x 64, mean of all
};

double deviation_of_part(const Image& picture, int top, int left) {
  double sum = 0, squares = 0;
  for (int y = top; y < top + 64; ++y) {
    for (int x = left; x < left + 64; ++x) {
      const std::uint8_t* p = picture.row(y) + 3 * x;
      const double grey = .299 * p[0] + .587 * p[1] + .114 * p[2];
      sum += grey;
      squares += grey * grey;
    }
  }
  return std::sqrt(squares / 4096 - sum / 4096 * sum / 4096);
}

Statistics statistics_of(const Image& picture) {
  Statistics result;
  const std::size_t n = picture.pixels.size() / 3;
  for (std::size_t i = 0; i < 3 * n; ++i) result.mean[i % 3] += picture.pixels[i] / static_cast<double>(n);
  int parts = 0;
  for (int y = 0; y + 64 <= picture.height; y += 64)
    for (int x = 0; x + 64 <= picture.width; x += 64, ++parts)
      result.contrast += deviation_of_part(picture, y, x);
  result.contrast /= parts;
  return result;
}

}  // namespace

TEST_CASE("ice: sizes, brightness and contrast of the photographs") {
  const auto pictures = ice_pictures();
  REQUIRE(pictures.size() == 5);
  // Means of red, green and blue and the deviation of grey, over small crops of the photographs.
  const double photographs[5][4] = {
      {71, 144, 161, 13}, {190, 194, 203, 21}, {203, 207, 217, 14}, {142, 157, 170, 27}, {90, 101, 113, 32}};
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    CAPTURE(i);
    CHECK(pictures[i].channels == 3);
    CHECK(pictures[i].height >= 315);
    CHECK(pictures[i].width >= 525);
    const Statistics s = statistics_of(pictures[i]);
    for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(s.mean[c] - photographs[i][c]) < 4);
    CHECK(std::abs(s.contrast - photographs[i][3]) < 3);
  }
}

TEST_CASE("ice: the same bytes everywhere") {
  std::uint64_t hash = 0xCBF29CE484222325ull;
  for (const Image& picture : ice_pictures())
    for (const std::uint8_t v : picture.pixels) hash = (hash ^ v) * 0x100000001B3ull;
  CHECK(hash == 0x5651F3A7E5E91534ull);  // changes with every change of the drawing
}
