#include "tools/evaluation/bootstrap.h"

#include <algorithm>
#include <cmath>

#include "engine/cpu/vectorise.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr double kScale = 1 << 20;  // of fixed-point values: sums in integers do not depend on their order

NM_VECTORISED(weighted_sum,
              (const std::int32_t* values, const std::int32_t* times, std::int64_t n, std::int64_t* sum),
              (values, times, n, sum)) {
  std::int64_t total = 0;
  for (std::int64_t i = 0; i < n; ++i) total += static_cast<std::int64_t>(values[i]) * times[i];
  *sum = total;
}

// How often each example occurs in one resample.
void draw_times(Key key, std::vector<std::int32_t>& times) {
  const std::size_t n = times.size();
  std::fill(times.begin(), times.end(), 0);
  for (std::size_t drawn = 0, block = 0; drawn < n; ++block) {
    for (const std::uint32_t word : key.block(block)) {
      if (drawn++ == n) break;
      ++times[static_cast<std::size_t>(std::uint64_t{word} * n >> 32)];
    }
  }
}

// Between the order statistics, as if they stood at 0, 1/(n-1), ... 1.
double quantile(const std::vector<std::int64_t>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto low = static_cast<double>(sorted[below]);
  const auto high = static_cast<double>(sorted[std::min(below + 1, sorted.size() - 1)]);
  return low + (place - static_cast<double>(below)) * (high - low);
}

std::vector<std::int32_t> fixed_point(const std::vector<float>& column, std::size_t length) {
  NM_CHECK(column.size() == length, "[bootstrap] columns of ", length, " and ", column.size(), " examples");
  std::vector<std::int32_t> values;
  values.reserve(length);
  for (const float value : column) {
    NM_CHECK(std::abs(value) <= 1024, "[bootstrap] expects values within [-1024, 1024], got ", value);
    values.push_back(static_cast<std::int32_t>(std::lround(kScale * static_cast<double>(value))));
  }
  return values;
}

}  // namespace

std::vector<Interval> bootstrap_means(const std::vector<std::vector<float>>& columns,
                                      const BootstrapOptions& options) {
  NM_CHECK(options.resamples >= 2 && options.coverage > 0 && options.coverage < 1,
           "[bootstrap] expects 2 resamples or more and a coverage between 0 and 1, got ", options.resamples,
           " and ", options.coverage);
  std::vector<Interval> intervals(columns.size());
  const std::size_t n = columns.empty() ? 0 : columns.front().size();
  if (n == 0) return intervals;
  std::vector<std::vector<std::int32_t>> values;
  for (const auto& column : columns) values.push_back(fixed_point(column, n));

  std::vector<std::vector<std::int64_t>> sums(columns.size());
  std::vector<std::int32_t> times(n);
  const Key key = Key(options.seed).child("bootstrap");
  for (int resample = 0; resample < options.resamples; ++resample) {
    draw_times(key.child(resample), times);
    for (std::size_t c = 0; c < values.size(); ++c) {
      std::int64_t sum = 0;
      weighted_sum(values[c].data(), times.data(), static_cast<std::int64_t>(n), &sum);
      sums[c].push_back(sum);
    }
  }
  const double unit = 1 / (kScale * static_cast<double>(n)), tail = (1 - options.coverage) / 2;
  for (std::size_t c = 0; c < values.size(); ++c) {
    std::sort(sums[c].begin(), sums[c].end());
    intervals[c] = {unit * quantile(sums[c], tail), unit * quantile(sums[c], 1 - tail)};
  }
  return intervals;
}

}  // namespace noisymix
