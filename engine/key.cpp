#include "engine/key.h"

#include <cmath>
#include <numeric>

#include "engine/error.h"

namespace noisymix {

double Draws::gamma(double shape) {
  NM_CHECK(shape > 0 && std::isfinite(shape), "[gamma] shape ", shape, ", expected a positive number");
  return unchecked_gamma(shape);
}

double Draws::beta(double a, double b) {
  NM_CHECK(a > 0 && b > 0 && std::isfinite(a) && std::isfinite(b), "[beta] a ", a, " and b ", b,
           ", expected positive numbers");
  return unchecked_beta(a, b);
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
