// Comparison of a corruption's results with recorded ones.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <vector>

#include "augment/corruptions/corruption.h"
#include "tests/augment/corruptions/golden_case.h"
#include "tests/augment/images.h"

namespace noisymix::testing {

/// What recorded cases of one corruption and side have in common.
struct Agreement {
  double largest = 0;  ///< difference before truncation
  int levels = 0;      ///< difference of bytes
  double share = 0;    ///< of bytes that differ, over all cases
  int cases = 0;
};

/// Values of the published side's `result` before truncation, or bytes, against one recorded case; large ones
/// are compared where they are recorded.
template <class T>
void compare_values(const GoldenCorruption& golden, std::span<const T> values, Agreement& agreement) {
  const bool large = golden.input.width > 32;
  const int begin = large ? 80 : 0, side = large ? 16 : 32, channels = golden.input.channels;
  for (std::size_t i = 0; i < golden.before_truncation.size(); ++i) {
    const int at = static_cast<int>(i), y = begin + at / (channels * side),
              x = channels * begin + at % (channels * side);
    const auto value =
        static_cast<double>(values[static_cast<std::size_t>(y * channels * golden.input.width + x)]);
    agreement.largest =
        std::max(agreement.largest, std::abs(value - static_cast<double>(golden.before_truncation[i])));
  }
}
inline void compare_bytes(const GoldenCorruption& golden, const Image& result, Agreement& agreement) {
  const Difference found =
      difference(golden.input.width > 32 ? crop_of(result, 80, 64) : result, golden.expected);
  agreement.levels = std::max(agreement.levels, found.largest);
  agreement.share = (agreement.share * agreement.cases + found.share) / (agreement.cases + 1);
  ++agreement.cases;
}

/// Any shape, a pure function of image and key, grey like three equal channels (to `levels`), and the seed
/// matters exactly where something is drawn.
inline void check_contract(const std::function<std::unique_ptr<Corruption>(ParameterSet, int)>& make,
                           bool draws, int levels) {
  Scratch scratch, other;
  Image out, again, colour, another;
  for (const ParameterSet set : {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet}) {
    for (int severity = 1; severity <= kSeverities; ++severity) {
      const auto corruption = make(set, severity);
      for (const auto& sides : {std::pair{8, 8}, std::pair{17, 33}, std::pair{40, 24}, {32, 32}}) {
        const int height = sides.first, width = sides.second;
        CAPTURE(height);
        CAPTURE(severity);
        const Image grey = smooth_image(height, width, 1, Key(9));
        Image rgb(height, width, 3);
        for (std::size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels[i] = grey.pixels[i / 3];
        corruption->apply(grey, Key(5), scratch, out);
        REQUIRE(out.channels == 1);
        corruption->apply(rgb, Key(5), scratch, colour);
        REQUIRE(colour.pixels.size() == rgb.pixels.size());
        corruption->apply(grey, Key(5), other, again);
        CHECK(out == again);
        int most = 0;
        for (std::size_t i = 0; i < colour.pixels.size(); ++i)
          most = std::max(most, std::abs(int{colour.pixels[i]} - int{out.pixels[i / 3]}));
        CHECK(most <= levels);
        corruption->apply(grey, Key(6), scratch, another);
        if (draws) {
          if (height > 8) CHECK(another != out);
        } else {
          CHECK(another == out);
        }
      }
    }
  }
  CHECK_THROWS_AS(make(ParameterSet::cifar, 0), ConfigError);
  CHECK_THROWS_AS(make(ParameterSet::cifar, 6), ConfigError);
}

}  // namespace noisymix::testing
