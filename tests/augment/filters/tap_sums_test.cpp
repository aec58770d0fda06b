// Correlation with a list of taps against the plain formula.
#include "augment/filters/tap_sums.h"

#include <doctest/doctest.h>

#include <vector>

#include "augment/filters/unit_values.h"
#include "tests/augment/images.h"

using namespace noisymix;

TEST_CASE("tap sums: the plain formula, any shape and border, bit for bit") {
  Scratch scratch;
  const Tap taps[] = {{0, 0, 0.3}, {-2, 1, 0.2}, {5, -3, 0.25}, {0, 12, 0.1}, {-11, -12, 0.15}};
  for (const Border border : {Border::nearest, Border::reflect, Border::mirror})
    for (const int channels : {1, 3})
      for (const auto& [height, width] : {std::pair{8, 8}, {17, 33}, {3, 2}, {9, 40}}) {
        const Image image = testing::random_image(height, width, channels, Key(1));
        std::vector<double> out(image.pixels.size(), -1), expected;
        for (int y = 0; y < height; ++y)
          for (int x = 0; x < width; ++x)
            for (int c = 0; c < channels; ++c) {
              double sum = 0;
              for (const auto& tap : taps) {
                const int column = border_position(x + tap.column, width, border);
                sum += image.row(border_position(y + tap.row, height, border))[column * channels + c] /
                       255.0 * tap.weight;
              }
              expected.push_back(sum);
            }
        sum_taps(image.pixels.data(), height, width, channels, unit_table(), taps, border, out.data(),
                 scratch);
        CHECK(out == expected);
      }
}
