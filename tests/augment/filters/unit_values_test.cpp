// Bytes as numbers of 0..1, and back.
#include "augment/filters/unit_values.h"

#include <doctest/doctest.h>

#include <numeric>
#include <vector>

using namespace noisymix;

TEST_CASE("unit values: tables, clipping and truncation") {
  std::vector<std::uint8_t> bytes(256), back(256);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  std::vector<double> values(256);
  look_up(bytes.data(), 256, grey_level_table(), values.data());
  for (std::size_t i = 0; i < 256; ++i) CHECK(values[i] == static_cast<double>(i));
  look_up(bytes.data(), 256, unit_table(), values.data());
  for (std::size_t i = 0; i < 256; ++i) CHECK(values[i] == static_cast<double>(i) / 255);
  values[3] = -0.5;
  values[250] = 1.5;
  to_grey_levels(values.data(), 256);
  CHECK(values[3] == 0);
  CHECK(values[250] == 255);
  CHECK(values[51] == doctest::Approx(51));
  values[7] = 7.999;
  values[8] = 8.001;
  truncate_to_bytes(values.data(), 256, back.data());
  CHECK(int{back[3]} == 0);
  CHECK(int{back[7]} == 7);
  CHECK(int{back[8]} == 8);
  CHECK(int{back[250]} == 255);
  Image image(5, 7, 1), out;
  shape_like(image, out);
  CHECK(out.pixels.size() == 35);
  CHECK(out.channels == 1);
}
