#include "tools/report/axis.h"

#include <cmath>

namespace noisymix::report {

double nice_step(double span, int count) {
  const double raw = span / count, power = std::pow(10, std::floor(std::log10(raw)));
  const double factor = raw / power;
  return power * (factor < 1.5 ? 1 : factor < 3.5 ? 2 : factor < 7.5 ? 5 : 10);
}

Axis nice_axis(double low, double high, int count) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) return {};
  if (high - low < 1e-9 * std::fmax(1, std::abs(high))) high = low + std::fmax(1e-6, std::abs(low) * 0.1);
  const double step = nice_step(high - low, count);
  // A value a rounding error beyond a line still belongs to it.
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

}  // namespace noisymix::report
