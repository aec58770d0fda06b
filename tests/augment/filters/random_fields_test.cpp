// Random arrays: their distribution over a million draws, and the same bits for every length and instruction
// set.
#include "augment/filters/random_fields.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "engine/cpu/cpu_features.h"

using namespace noisymix;

namespace {

constexpr std::size_t kDraws = 1'000'000;

/// The largest distance between the draws' distribution and `cdf`; sorts the draws.
template <class Cdf>
double distance_to(std::vector<float>& draws, const Cdf& cdf) {
  std::sort(draws.begin(), draws.end());
  const double n = static_cast<double>(draws.size());
  double largest = 0;
  for (std::size_t i = 0; i < draws.size(); ++i) {
    const double p = cdf(static_cast<double>(draws[i]));
    largest = std::max(
        {largest, std::abs(p - static_cast<double>(i) / n), std::abs(p - static_cast<double>(i + 1) / n)});
  }
  return largest;
}

/// A Kolmogorov-Smirnov distance that a correct generator exceeds for one key in a thousand.
const double kLargestDistance = 1.95 / std::sqrt(double{kDraws});

double normal_cdf(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

template <class T, class Fill>
void check_prefixes_and_levels(const Fill& fill) {
  const auto level = cpu::active_isa();
  std::vector<T> expected(3072);
  fill(Key(3), std::span(expected));
  for (const cpu::Isa isa : cpu::usable_isas()) {
    cpu::set_isa(isa);
    for (const std::size_t length : {0, 1, 5, 63, 64, 65, 255, 256, 257, 1683, 3072}) {
      std::vector<T> values(length + 1, T{77});  // with one that must stay
      fill(Key(3), std::span(values).first(length));
      CHECK(std::equal(values.begin(), values.end() - 1, expected.begin()));
      CHECK(values.back() == T{77});
    }
  }
  cpu::set_isa(level);
  std::vector<T> other(3072);
  fill(Key(4), std::span(other));
  CHECK(other != expected);
}

}  // namespace

TEST_CASE("random fields: normal draws have the normal distribution") {
  std::vector<float> draws(kDraws);
  fill_normal(Key(1), draws);
  const double n = double{kDraws};
  double mean = 0, second = 0, third = 0, fourth = 0, beyond = 0, far = 0, product = 0, last = 0;
  for (std::size_t i = 0; i < kDraws; ++i) {
    const double x = static_cast<double>(draws[i]), square = x * x;
    mean += x / n;
    second += square / n;
    third += square * x / n;
    fourth += square * square / n;
    beyond += std::abs(x) > 3 ? 1 / n : 0;
    far += std::abs(x) > 4 ? 1 : 0;
    product += x * last / n;
    last = x;
  }
  // Bounds: four standard deviations of each mean, from the moments 1, 2, 15, 96 of a normal variable.
  const double sigma = 4 / std::sqrt(n);
  CHECK(std::abs(mean) < sigma);
  CHECK(std::abs(second - 1) < sigma * std::sqrt(2.0));
  CHECK(std::abs(third) < sigma * std::sqrt(15.0));
  CHECK(std::abs(fourth - 3) < sigma * std::sqrt(96.0));
  CHECK(std::abs(product) < sigma);
  const double expected = 2 * normal_cdf(-3), far_expected = 2 * normal_cdf(-4) * n;
  CHECK(std::abs(beyond - expected) < sigma * std::sqrt(expected));
  CHECK(std::abs(far - far_expected) < 4 * std::sqrt(far_expected));
  const auto [least, most] = std::minmax_element(draws.begin(), draws.end());
  CHECK(*least < -4.3f);  // likelier than 99.9 %
  CHECK(*least > -6.8f);
  CHECK(*most > 4.3f);
  CHECK(*most < 6.8f);
  CHECK(distance_to(draws, normal_cdf) < kLargestDistance);
}

TEST_CASE("random fields: the two values of a Box-Muller pair are independent") {
  std::vector<float> draws(kDraws / 256 * 256);
  fill_normal(Key(2), draws);
  double product = 0, squares = 0, count = 0;
  for (std::size_t tile = 0; tile < draws.size(); tile += 128) {
    for (std::size_t j = 0; j < 64; ++j) {
      const double a = static_cast<double>(draws[tile + j]), b = static_cast<double>(draws[tile + 64 + j]);
      product += a * b;
      squares += (a * a - 1) * (b * b - 1);
      ++count;
    }
  }
  CHECK(std::abs(product / count) < 4 / std::sqrt(count));
  CHECK(std::abs(squares / count) < 4 * 2 / std::sqrt(count));
}

TEST_CASE("random fields: uniform draws") {
  std::vector<float> draws(kDraws);
  fill_uniform(Key(1), draws);
  CHECK(*std::min_element(draws.begin(), draws.end()) >= 0);
  CHECK(*std::max_element(draws.begin(), draws.end()) < 1);
  CHECK(std::all_of(draws.begin(), draws.begin() + 1000,
                    [](float u) { return u * 0x1p24f == std::floor(u * 0x1p24f); }));
  std::vector<std::uint32_t> words(1000);
  fill_words(Key(1), words);
  for (std::size_t i = 0; i < words.size(); ++i)
    REQUIRE(draws[i] == static_cast<float>(words[i] >> 8) * 0x1p-24f);
  CHECK(distance_to(draws, [](double x) { return x; }) < kLargestDistance);
}

TEST_CASE("random fields: words are those of the key's blocks, each once") {
  std::vector<std::uint32_t> words(512);
  fill_words(Key(9), words);
  std::multiset<std::uint32_t> made(words.begin(), words.end()), expected;
  for (std::uint64_t i = 0; i < 128; ++i)
    for (const std::uint32_t word : Key(9).block(i)) expected.insert(word);
  CHECK(made == expected);
}

TEST_CASE("random fields: the same bits for every length and instruction set") {
  check_prefixes_and_levels<float>([](Key key, std::span<float> out) { fill_normal(key, out); });
  check_prefixes_and_levels<float>([](Key key, std::span<float> out) { fill_uniform(key, out); });
  check_prefixes_and_levels<std::uint32_t>(
      [](Key key, std::span<std::uint32_t> out) { fill_words(key, out); });
}
