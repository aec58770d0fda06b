// Counter-based random numbers: every draw is a pure function of a key and an index (Philox 4x32-10).
#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numbers>
#include <string_view>
#include <vector>

#include "engine/host_device.h"

namespace noisymix {

/// Seed of a generator without state. Key(seed).child("augment").child(epoch).child(sample) names one independent
/// stream; at(i) is its i-th block of four 32-bit words. A key is used for one purpose, else split with child().
class Key {
 public:
  explicit constexpr Key(std::uint64_t seed = 0) : state_(mix(seed + 0x9E3779B97F4A7C15ull)) {}

  /// The key whose Philox words are exactly these; for tests against published vectors, not for seeding.
  static constexpr Key from_words(std::uint64_t words) {
    Key result(0);
    result.state_ = words;
    return result;
  }

  constexpr Key child(std::string_view name) const {
    std::uint64_t h = 0xCBF29CE484222325ull;  // FNV-1a, then mixed: names need no secrecy, only spread
    for (const char c : name) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3ull;
    return derive(mix(h ^ 0x5851F42D4C957F2Dull));
  }
  /// A literal. Not only shorter: kernels cannot measure a string, nvcc silently makes empty kernels of those that try.
  template <std::size_t kSize>
  constexpr Key child(const char (&name)[kSize]) const {
    return child(std::string_view(name, kSize - 1));
  }
  constexpr Key child(std::int64_t number) const {
    return derive(mix(static_cast<std::uint64_t>(number) + 0x2545F4914F6CDD1Dull));
  }

  /// The i-th block: four independent uniform 32-bit words.
  constexpr std::array<std::uint32_t, 4> block(std::uint64_t i) const {
    std::array<std::uint32_t, 4> c{static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(i >> 32), 0, 0};
    std::uint32_t k0 = static_cast<std::uint32_t>(state_), k1 = static_cast<std::uint32_t>(state_ >> 32);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = 0xD2511F53ull * c[0], p1 = 0xCD9E8D57ull * c[2];
      c = {static_cast<std::uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<std::uint32_t>(p0)};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return c;
  }
  /// Philox key words, for kernels that run the rounds themselves. Counter layout: {i low, i high, 0, 0}.
  constexpr std::uint64_t words() const { return state_; }

  /// i-th uniform draw in [0, 1), 53 bits.
  NM_HOST_DEVICE double uniform(std::uint64_t i) const {
    const auto b = block(i);
    return static_cast<double>(((static_cast<std::uint64_t>(b[0]) << 32) | b[1]) >> 11) * 0x1p-53;
  }
  /// i-th standard normal draw.
  NM_HOST_DEVICE double normal(std::uint64_t i) const {
    const auto b = block(i);
    const double u = (static_cast<double>(((static_cast<std::uint64_t>(b[0]) << 32) | b[1]) >> 11) + 1) * 0x1p-53;
    const double v = static_cast<double>(((static_cast<std::uint64_t>(b[2]) << 32) | b[3]) >> 11) * 0x1p-53;
    return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
  }
  /// i-th integer draw, uniform on [0, count); unbiased to 2^-64 * count.
  NM_HOST_DEVICE std::int64_t below(std::uint64_t i, std::int64_t count) const {
    const auto b = block(i);
    const std::uint64_t r = (static_cast<std::uint64_t>(b[0]) << 32) | b[1];
    // High half of the 128-bit product r * count, from 32-bit halves (no 128-bit type in standard C++).
    const std::uint64_t n = static_cast<std::uint64_t>(count), mask = 0xFFFFFFFFull;
    const std::uint64_t low = (r & mask) * (n & mask), mid = (r >> 32) * (n & mask) + (low >> 32);
    const std::uint64_t cross = (r & mask) * (n >> 32) + (mid & mask);
    return static_cast<std::int64_t>((r >> 32) * (n >> 32) + (mid >> 32) + (cross >> 32));
  }

  bool operator==(const Key&) const = default;

 private:
  static constexpr std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
    return x ^ (x >> 31);
  }
  constexpr Key derive(std::uint64_t label) const {
    return from_words(mix(state_ + 0x9E3779B97F4A7C15ull + mix(label ^ (state_ << 1 | state_ >> 63))));
  }
  std::uint64_t state_;
};

/// A generator over one key's stream for code that draws a varying number of values in order (rejection samplers,
/// shuffles). Local use only: never stored, never shared.
class Draws {
 public:
  NM_HOST_DEVICE explicit Draws(Key key) : key_(key) {}
  NM_HOST_DEVICE double uniform() { return key_.uniform(next_++); }
  NM_HOST_DEVICE double normal() { return key_.normal(next_++); }
  NM_HOST_DEVICE std::int64_t below(std::int64_t count) { return key_.below(next_++, count); }
  /// Gamma(shape, 1) by Marsaglia and Tsang. Throws ShapeError unless shape is positive and finite.
  double gamma(double shape);
  /// Beta(a, b) from two gamma draws; tiny a or b are handled in log space, so the result is never NaN. Throws
  /// ShapeError unless both are positive and finite.
  double beta(double a, double b);

  /// The same without the check, for kernels, which cannot throw.
  NM_HOST_DEVICE double unchecked_gamma(double shape) {
    if (shape >= 1) return gamma_from_one(shape);
    const double larger = gamma_from_one(shape + 1);  // drawn first
    return larger * std::pow(1 - uniform(), 1 / shape);
  }
  NM_HOST_DEVICE double unchecked_beta(double a, double b) {
    const double x = log_gamma(a), y = log_gamma(b);
    if (std::isinf(x) && std::isinf(y)) return uniform() < a / (a + b) ? 1 : 0;  // the limit: a coin
    return 1 / (1 + std::exp(y - x));
  }

 private:
  NM_HOST_DEVICE double gamma_from_one(double shape) {
    const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
    for (;;) {
      const double x = normal();
      const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
      if (v > 0 && std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }
  /// log Gamma(s) = log Gamma(s + 1) + log(u) / s keeps tiny parameters (1e-8 occurs in practice) from underflowing.
  NM_HOST_DEVICE double log_gamma(double s) {
    if (s >= 1) return std::log(gamma_from_one(s));
    const double larger = std::log(gamma_from_one(s + 1));
    return larger + std::log(1 - uniform()) / s;
  }

  Key key_;
  std::uint64_t next_ = 0;
};

/// Uniform permutation of 0..n-1 (Fisher-Yates).
std::vector<std::int64_t> permutation(Key key, std::int64_t n);

}  // namespace noisymix
