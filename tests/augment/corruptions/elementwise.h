// Checks for corruptions that work value by value: any shape, any instruction set, exact distributions.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "augment/corruptions/corruption.h"
#include "engine/cpu/cpu_features.h"
#include "tests/augment/images.h"

namespace noisymix::testing {

/// The largest distance of `values`, of a whole image, to what was recorded before truncation: all of them,
/// or rows and columns 80 .. 95 of a photograph.
template <class T>
double distance_to_recorded(const std::vector<T>& values, const Image& image,
                            const std::vector<float>& recorded) {
  double largest = 0;
  const bool all = recorded.size() == values.size();
  for (std::size_t i = 0; i < recorded.size(); ++i) {
    const std::size_t row = 16 * 3;
    const std::size_t from = all ? i : (80 + i / row) * image.stride() + 80 * 3 + i % row;
    largest =
        std::max(largest, std::abs(static_cast<double>(values[from]) - static_cast<double>(recorded[i])));
  }
  return largest;
}

/// Severities, shapes, instruction sets, and the same result from dirty memory.
template <class Make>
void check_any_shape(const Make& make) {
  const auto level = cpu::active_isa();
  Scratch scratch, other_scratch;
  for (const ParameterSet set : {ParameterSet::cifar, ParameterSet::tiny_imagenet, ParameterSet::imagenet}) {
    for (const int severity : {1, 3, 5}) {
      const auto corruption = make(set, severity);
      for (const auto& [height, width, channels] :
           {std::array{8, 8, 1}, std::array{8, 8, 3}, std::array{17, 33, 3}, std::array{17, 33, 1},
            std::array{32, 32, 3}}) {
        const Image image = random_image(height, width, channels, Key(severity));
        Image first;
        for (const cpu::Isa isa : cpu::usable_isas()) {
          cpu::set_isa(isa);
          Image out(40, 40, 3);
          corruption->apply(image, Key(5), isa == cpu::Isa::portable ? scratch : other_scratch, out);
          REQUIRE(out.height == height);
          REQUIRE(out.width == width);
          REQUIRE(out.channels == channels);
          if (isa == cpu::Isa::portable) first = out;
          REQUIRE(out == first);
        }
        cpu::set_isa(level);
      }
    }
    CHECK_THROWS_AS(make(set, 0), ConfigError);
    CHECK_THROWS_AS(make(set, 6), ConfigError);
  }
}

/// Another key gives another image, the same key the same.
inline void check_uses_key(const Corruption& corruption) {
  const Image image = smooth_image(32, 32, 3, Key(2));
  Scratch scratch;
  Image a, b, c;
  corruption.apply(image, Key(1), scratch, a);
  corruption.apply(image, Key(2), scratch, b);
  corruption.apply(image, Key(1), scratch, c);
  CHECK(a != b);
  CHECK(a == c);
}

/// 2000 images of 32 x 32 x 3 with every level of kLevels equally often: per level, mean, variance and
/// histogram of the results against probability(level, result).
template <class Probability>
void check_distribution(const Corruption& corruption, const Probability& probability) {
  constexpr int kLevels[] = {0, 1, 40, 127, 128, 200, 254, 255}, kImages = 2000;
  Image image(32, 32, 3), out;
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = static_cast<std::uint8_t>(kLevels[i * 8 / image.pixels.size()]);
  std::array<std::array<double, 256>, 8> seen{};
  Scratch scratch;
  const std::size_t each = image.pixels.size() / 8;
  for (int n = 0; n < kImages; ++n) {
    corruption.apply(image, Key(11).child(n), scratch, out);
    for (std::size_t l = 0; l < 8; ++l)
      for (std::size_t i = l * each; i < (l + 1) * each; ++i) seen[l][out.pixels[i]] += 1;
  }
  const double draws = static_cast<double>(each) * kImages;
  for (std::size_t l = 0; l < 8; ++l) {
    CAPTURE(kLevels[l]);
    double total = 0, mean = 0, variance = 0, fourth = 0, seen_mean = 0, seen_variance = 0;
    double squares = 0, cells = 0, rare = 0, rare_seen = 0;
    std::array<double, 256> exact{};
    for (int k = 0; k < 256; ++k) {
      const auto r = static_cast<std::size_t>(k);
      exact[r] = probability(kLevels[l], k);
      total += exact[r];
      mean += k * exact[r];
      seen_mean += k * seen[l][r] / draws;
      const double expected = exact[r] * draws, off = seen[l][r] - expected;
      if (expected >= 10) {
        squares += off * off / expected;
        ++cells;
      } else {
        rare += expected;
        rare_seen += seen[l][r];
      }
    }
    REQUIRE(std::abs(total - 1) < 1e-9);
    for (int k = 0; k < 256; ++k) {
      const auto r = static_cast<std::size_t>(k);
      variance += (k - mean) * (k - mean) * exact[r];
      fourth += std::pow(k - mean, 4) * exact[r];
      seen_variance += (k - mean) * (k - mean) * seen[l][r] / draws;
    }
    // Four and a half standard deviations of each estimate; of chi squared, whose mean is its degrees of
    // freedom and whose variance twice that, five and the tail's extra.
    CHECK(std::abs(seen_mean - mean) <= 4.5 * std::sqrt(variance / draws) + 1e-9);
    CHECK(std::abs(seen_variance - variance) <=
          4.5 * std::sqrt(std::max(0.0, fourth - variance * variance) / draws) + 1e-6);
    CHECK(squares < cells + 5 * std::sqrt(2 * cells) + 10);
    CHECK(std::abs(rare_seen - rare) <= 5 * std::sqrt(rare) + 5);
  }
}

inline double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

/// Probability that clip(normal of this mean and deviation) 255, truncated, is `result`.
inline double clipped_normal(double mean, double deviation, int result) {
  const auto below = [&](double edge) {
    return deviation > 0 ? normal_below((edge - mean) / deviation) : (mean < edge ? 1.0 : 0.0);
  };
  const double upper = result == 255 ? 1 : below((result + 1) / 255.0);
  return upper - (result == 0 ? 0 : below(result / 255.0));
}

}  // namespace noisymix::testing
