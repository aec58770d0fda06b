// Round numbers for the axes of a chart.
#pragma once

namespace noisymix::report {

/// From `low` to `high` in whole steps.
struct Axis {
  double low = 0, high = 1, step = 1;
};

/// 1, 2 or 5 times a power of ten, so that the span takes about `count` steps. `span` is positive.
double nice_step(double span, int count);

/// The smallest axis of about `count` round steps around the values; some axis for values that are equal or
/// not finite.
Axis nice_axis(double low, double high, int count);

}  // namespace noisymix::report
