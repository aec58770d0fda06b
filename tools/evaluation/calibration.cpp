#include "tools/evaluation/calibration.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/error.h"

namespace noisymix {
namespace {

/// Upper edges of the bins: n + 1 float32 values from 0 to 1, built from both ends as the published code's
/// library builds them.
std::vector<double> upper_edges(int bins) {
  const float step = 1.0f / static_cast<float>(bins);
  std::vector<double> edges;
  for (int i = 1; i <= bins; ++i) {
    const float edge =
        i < (bins + 1) / 2 ? step * static_cast<float>(i) : 1.0f - step * static_cast<float>(bins - i);
    edges.push_back(static_cast<double>(edge));
  }
  return edges;
}

double count_of(const BinSums& bin) {
  return static_cast<double>(bin.count);
}

/// Positions ordered by `before` on the confidence; equal ones, and NaN as 0, keep their order.
template <typename Before>
std::vector<std::size_t> order_of(std::span<const double> confidence, Before before) {
  std::vector<std::size_t> order(confidence.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto value = [&](std::size_t i) { return std::isnan(confidence[i]) ? 0 : confidence[i]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return before(value(a), value(b)); });
  return order;
}

/// Sum over the bins of equal count of w |A - C|^power, or NaN.
double adaptive_sum(std::span<const double> confidence, std::span<const std::uint8_t> correct,
                    const AdaptiveBins& options, int power) {
  NM_CHECK(confidence.size() == correct.size(), "[adaptive calibration] ", confidence.size(),
           " confidences but ", correct.size(), " results");
  NM_CHECK(options.size > 0, "[adaptive calibration] bins of ", options.size,
           " examples, expected 1 or more");
  const std::size_t n = confidence.size(), size = static_cast<std::size_t>(options.size), bins = n / size;
  if (bins == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto order = order_of(confidence, std::less<>());
  double total = 0;
  for (std::size_t b = 0; b + (options.include_last ? 0 : 1) < bins; ++b) {
    const std::size_t begin = b * size, end = b + 1 == bins ? n : begin + size;
    double sum = 0;
    std::size_t right = 0;
    for (std::size_t i = begin; i < end; ++i) {
      const double c = confidence[order[i]];
      sum += std::isnan(c) ? 0 : c;
      right += correct[order[i]];
    }
    const auto count = static_cast<double>(end - begin);
    const double gap = std::abs(sum / count - static_cast<double>(right) / count);
    total += count / static_cast<double>(n) * (power == 2 ? gap * gap : gap);
  }
  return total;
}

}  // namespace

std::vector<BinSums> calibration_bins(std::span<const double> confidence,
                                      std::span<const std::uint8_t> correct, int bins) {
  NM_CHECK(confidence.size() == correct.size(), "[calibration_bins] ", confidence.size(), " confidences but ",
           correct.size(), " results");
  NM_CHECK(bins > 0, "[calibration_bins] needs at least one bin");
  const std::vector<double> edges = upper_edges(bins);
  std::vector<BinSums> result(edges.size());
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    const double c = std::isnan(confidence[i]) ? 0 : std::clamp(confidence[i], 0.0, 1.0);
    const auto edge = std::lower_bound(edges.begin(), edges.end(), c);  // the first that is not below c
    BinSums& bin = result[static_cast<std::size_t>(edge - edges.begin())];
    ++bin.count;
    bin.confidence += c;
    bin.confidence_squared += c * c;
    bin.correct += correct[i];
  }
  return result;
}

void add_bins(std::vector<BinSums>& total, std::span<const BinSums> more) {
  if (total.empty()) total.resize(more.size());
  NM_CHECK(total.size() == more.size(), "[add_bins] ", more.size(), " bins cannot be added to ",
           total.size());
  for (std::size_t i = 0; i < more.size(); ++i) {
    total[i].count += more[i].count;
    total[i].confidence += more[i].confidence;
    total[i].confidence_squared += more[i].confidence_squared;
    total[i].correct += more[i].correct;
  }
}

double mean_confidence(const BinSums& bin) {
  return bin.count > 0 ? bin.confidence / count_of(bin) : 0;
}

double mean_accuracy(const BinSums& bin) {
  return bin.count > 0 ? static_cast<double>(bin.correct) / count_of(bin) : 0;
}

CalibrationErrors calibration_errors(std::span<const BinSums> bins) {
  CalibrationErrors result;
  double n = 0, squares = 0, variances = 0;
  for (const BinSums& bin : bins) n += count_of(bin);
  if (n == 0) return result;
  for (const BinSums& bin : bins) {
    if (bin.count == 0) continue;
    const double weight = count_of(bin) / n, confidence = mean_confidence(bin);
    const double excess = confidence - mean_accuracy(bin);
    const double variance = bin.confidence_squared / count_of(bin) - confidence * confidence;
    result.ece += weight * std::abs(excess);
    squares += weight * excess * excess;
    result.oe += weight * confidence * std::max(excess, 0.0);
    variances += weight * std::max(variance, 0.0);  // rounding may leave a tiny negative one
    result.max_ce = std::max(result.max_ce, std::abs(excess));
  }
  result.rms = std::sqrt(squares);
  result.sh = 1 / std::sqrt(variances);
  return result;
}

double adaptive_rms(std::span<const double> confidence, std::span<const std::uint8_t> correct,
                    const AdaptiveBins& bins) {
  return std::sqrt(adaptive_sum(confidence, correct, bins, 2));
}

double adaptive_mad(std::span<const double> confidence, std::span<const std::uint8_t> correct,
                    const AdaptiveBins& bins) {
  return adaptive_sum(confidence, correct, bins, 1);
}

double aurra(std::span<const double> confidence, std::span<const std::uint8_t> correct) {
  NM_CHECK(confidence.size() == correct.size(), "[aurra] ", confidence.size(), " confidences but ",
           correct.size(), " results");
  if (confidence.empty()) return 0;
  std::size_t right = 0, taken = 0;
  double sum = 0;
  for (const std::size_t i : order_of(confidence, std::greater<>())) {
    right += correct[i];
    sum += static_cast<double>(right) / static_cast<double>(++taken);
  }
  return sum / static_cast<double>(taken);
}

}  // namespace noisymix
