#include "engine/key.h"

#include <cmath>
#include <numbers>
#include <numeric>

#include "engine/error.h"

namespace noisymix {

double Key::normal(std::uint64_t i) const {
  const auto b = block(i);
  const double u = (static_cast<double>(((static_cast<std::uint64_t>(b[0]) << 32) | b[1]) >> 11) + 1) * 0x1p-53;
  const double v = static_cast<double>(((static_cast<std::uint64_t>(b[2]) << 32) | b[3]) >> 11) * 0x1p-53;
  return std::sqrt(-2 * std::log(u)) * std::cos(2 * std::numbers::pi * v);
}

std::int64_t Key::below(std::uint64_t i, std::int64_t count) const {
  const auto b = block(i);
  const std::uint64_t r = (static_cast<std::uint64_t>(b[0]) << 32) | b[1];
  // High half of the 128-bit product r * count, from 32-bit halves (no 128-bit type in standard C++).
  const std::uint64_t n = static_cast<std::uint64_t>(count), mask = 0xFFFFFFFFull;
  const std::uint64_t low = (r & mask) * (n & mask), mid = (r >> 32) * (n & mask) + (low >> 32);
  const std::uint64_t cross = (r & mask) * (n >> 32) + (mid & mask);
  return static_cast<std::int64_t>((r >> 32) * (n >> 32) + (mid >> 32) + (cross >> 32));
}

double Draws::gamma(double shape) {
  NM_CHECK(shape > 0 && std::isfinite(shape), "[gamma] shape ", shape, ", expected a positive number");
  if (shape < 1) return gamma(shape + 1) * std::pow(1 - uniform(), 1 / shape);
  const double d = shape - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal();
    const double v = (1 + c * x) * (1 + c * x) * (1 + c * x);
    if (v > 0 && std::log(1 - uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
  }
}

double Draws::beta(double a, double b) {
  NM_CHECK(a > 0 && b > 0 && std::isfinite(a) && std::isfinite(b), "[beta] a ", a, " and b ", b,
           ", expected positive numbers");
  // log Gamma(s) = log Gamma(s + 1) + log(u) / s keeps tiny parameters (1e-8 occurs in practice) from underflowing.
  const auto log_gamma = [this](double s) {
    return s < 1 ? std::log(gamma(s + 1)) + std::log(1 - uniform()) / s : std::log(gamma(s));
  };
  const double x = log_gamma(a), y = log_gamma(b);
  if (std::isinf(x) && std::isinf(y)) return uniform() < a / (a + b) ? 1 : 0;  // the limit: a coin
  return 1 / (1 + std::exp(y - x));
}

std::vector<std::int64_t> permutation(Key key, std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = n - 1; i > 0; --i)
    std::swap(order[static_cast<std::size_t>(i)],
              order[static_cast<std::size_t>(key.below(static_cast<std::uint64_t>(i), i + 1))]);
  return order;
}

}  // namespace noisymix
