#include "tools/evaluation/metrics.h"

#include <algorithm>
#include <cmath>

#include "engine/error.h"

namespace noisymix {

std::vector<CalibrationBin> calibration_bins(const std::vector<double>& confidence,
                                             const std::vector<std::uint8_t>& correct, int bins) {
  NM_CHECK(confidence.size() == correct.size(), "[calibration_bins] ", confidence.size(), " confidences but ",
           correct.size(), " results");
  NM_CHECK(bins > 0, "[calibration_bins] needs at least one bin");
  std::vector<CalibrationBin> result(static_cast<std::size_t>(bins));
  for (std::size_t i = 0; i < confidence.size(); ++i) {
    // ceil - 1 puts a value on an edge into the bin below it: (a, b]. NaN, from a diverged model, goes to the
    // first.
    const double position = confidence[i] > 0 ? std::min(confidence[i], 1.0) * bins : 1;
    const int index = std::max(static_cast<int>(std::ceil(position)) - 1, 0);
    CalibrationBin& bin = result[static_cast<std::size_t>(index)];
    ++bin.count;
    bin.confidence += confidence[i];
    bin.accuracy += correct[i];
  }
  for (CalibrationBin& bin : result) {
    if (bin.count == 0) continue;
    bin.confidence /= static_cast<double>(bin.count);
    bin.accuracy /= static_cast<double>(bin.count);
  }
  return result;
}

double expected_calibration_error(const std::vector<CalibrationBin>& bins) {
  double sum = 0;
  std::int64_t count = 0;
  for (const CalibrationBin& bin : bins) {
    sum += static_cast<double>(bin.count) * std::abs(bin.accuracy - bin.confidence);
    count += bin.count;
  }
  return count > 0 ? sum / static_cast<double>(count) : 0;
}

void ScoreKeeper::add(const Tensor& logits, const Tensor& labels) {
  NM_CHECK(logits.rank() == 2 && labels.rank() == 1 && logits.dim(0) == labels.dim(0), "[scores] logits ",
           logits.shape(), " do not fit labels ", labels.shape());
  const std::int64_t k = logits.dim(1);
  const float* row = logits.data<float>();
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < logits.dim(0); ++i, row += k) {
    NM_CHECK(label[i] >= 0 && label[i] < k, "[scores] label ", label[i], " with ", k, " classes");
    const float* top = std::max_element(row, row + k);
    double sum = 0;
    for (std::int64_t j = 0; j < k; ++j) sum += std::exp(static_cast<double>(row[j]) - *top);
    confidence_.push_back(1 / sum);
    correct_.push_back(top - row == label[i]);
    loss_sum_ += std::log(sum) + *top - static_cast<double>(row[label[i]]);
  }
}

Scores ScoreKeeper::scores(int bins) const {
  Scores result;
  result.count = static_cast<std::int64_t>(correct_.size());
  if (result.count == 0) return result;
  const auto right = std::count(correct_.begin(), correct_.end(), std::uint8_t{1});
  result.accuracy = static_cast<double>(right) / static_cast<double>(result.count);
  result.loss = loss_sum_ / static_cast<double>(result.count);
  result.calibration_error = expected_calibration_error(calibration_bins(confidence_, correct_, bins));
  return result;
}

}  // namespace noisymix
