// Noisy copies: the law of their strength, what is left out, and which key decides what.
#include "augment/perturbations/gaussian.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/ops/elementwise.h"

using namespace noisymix;

namespace {

constexpr std::int64_t kCount = 200, kSide = 8;

Tensor blank(std::int64_t count = kCount) {
  return Tensor::zeros({count, kSide, kSide, 3});
}

/// Root mean square of each image.
std::vector<double> levels(const Tensor& images) {
  const auto values = images.to_vector<float>();
  const std::size_t size = kSide * kSide * 3;
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size() / size; ++i) {
    double sum = 0;
    for (std::size_t j = 0; j < size; ++j) sum += std::pow(static_cast<double>(values[i * size + j]), 2);
    result.push_back(std::sqrt(sum / static_cast<double>(size)));
  }
  return result;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("each image of each copy draws its own deviation from U(0, noise)") {
  const Tensor copies = gaussian_copies(blank(), {.noise = 0.6, .copies = 3}, Key(1));
  REQUIRE(copies.shape() == Shape{3 * kCount, kSide, kSide, 3});
  const auto found = levels(copies);
  double below = 0, largest = 0;
  for (const double level : found) {
    below += level < 0.3 ? 1 : 0;
    largest = std::max(largest, level);
  }
  CHECK(mean(found) == doctest::Approx(0.3).epsilon(0.06));  // 600 draws: the mean's deviation is 0.007
  CHECK(below / static_cast<double>(found.size()) == doctest::Approx(0.5).epsilon(0.12));
  CHECK(largest < 0.6 * 1.25);
  CHECK(largest > 0.5);
}

TEST_CASE("a fixed deviation is that of every image") {
  const auto found = levels(gaussian_copies(blank(), {.noise = 0.1, .diverse = false}, Key(2)));
  for (const double level : found) CHECK(level == doctest::Approx(0.1).epsilon(0.3));
  CHECK(mean(found) == doctest::Approx(0.1).epsilon(0.02));
}

TEST_CASE("noise is added to the images, copy after copy") {
  const Tensor images = add(blank(4), 0.5);
  const auto noise = gaussian_copies(blank(4), {.copies = 2}, Key(3)).to_vector<float>();
  const auto noisy = gaussian_copies(images, {.copies = 2}, Key(3)).to_vector<float>();
  REQUIRE(noise.size() == noisy.size());
  for (std::size_t i = 0; i < noise.size(); ++i)
    CHECK(noisy[i] == doctest::Approx(0.5f + noise[i]).epsilon(1e-6));
  CHECK(std::equal(noise.begin(), noise.begin() + static_cast<std::ptrdiff_t>(noise.size() / 2),
                   noise.begin() + static_cast<std::ptrdiff_t>(noise.size() / 2)) == false);
}

TEST_CASE("an image's noise does not depend on the batch around it") {
  const auto few = gaussian_copies(blank(2), {}, Key(4)).to_vector<float>();
  const auto many = gaussian_copies(blank(5), {}, Key(4)).to_vector<float>();
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
}

TEST_CASE("masks leave out entries or whole pixels") {
  for (const MaskUnit unit : {MaskUnit::element, MaskUnit::pixel}) {
    const auto noise = gaussian_copies(blank(), {.diverse = false, .keep_share = 0.2, .mask = unit}, Key(5))
                           .to_vector<float>();
    double kept = 0, alike = 0, pixels = 0;
    for (std::size_t i = 0; i < noise.size(); i += 3, ++pixels) {
      const int there = (noise[i] != 0) + (noise[i + 1] != 0) + (noise[i + 2] != 0);
      kept += there;
      alike += there == 0 || there == 3 ? 1 : 0;
    }
    CHECK(kept / static_cast<double>(noise.size()) == doctest::Approx(0.2).epsilon(0.05));
    // Alone, three entries agree with probability 0.2^3 + 0.8^3 = 0.52.
    CHECK(alike / pixels == doctest::Approx(unit == MaskUnit::pixel ? 1.0 : 0.52).epsilon(0.05));
  }
}

TEST_CASE("settings out of range are refused") {
  CHECK_THROWS_WITH_AS(gaussian_copies(blank(1), {.noise = -1}, Key(0)),
                       doctest::Contains("at least 0, got -1"), ConfigError);
  CHECK_THROWS_AS(gaussian_copies(blank(1), {.copies = 0}, Key(0)), ConfigError);
  CHECK_THROWS_AS(gaussian_copies(blank(1), {.keep_share = 1.5}, Key(0)), ConfigError);
}
