#include "tools/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::int64_t kTop = 5;

}  // namespace

Tensor select_classes(const Tensor& logits, const std::vector<std::int64_t>& classes) {
  NM_CHECK(logits.rank() == 2, "[select_classes] expects logits [n, classes], got ", logits.shape());
  const std::int64_t n = logits.dim(0), k = logits.dim(1);
  for (const std::int64_t c : classes)
    NM_CHECK(c >= 0 && c < k, "[select_classes] class ", c, " of ", k, " does not exist");
  Tensor chosen = Tensor::empty({n, static_cast<std::int64_t>(classes.size())}, Dtype::f32);
  const float* from = logits.data<float>();
  float* to = chosen.mutable_data<float>();
  for (std::int64_t i = 0; i < n; ++i, from += k)
    for (const std::int64_t c : classes) *to++ = from[c];
  return chosen;
}

void ScoreKeeper::add(const Tensor& logits, const Tensor& labels) {
  NM_CHECK(logits.rank() == 2 && labels.rank() == 1 && logits.dim(0) == labels.dim(0), "[scores] logits ",
           logits.shape(), " do not fit labels ", labels.shape());
  const std::int64_t k = logits.dim(1);
  NM_CHECK(classes_ == 0 || classes_ == k, "[scores] ", k, " classes after batches of ", classes_);
  classes_ = k;
  const float* row = logits.data<float>();
  const std::int64_t* label = labels.data<std::int64_t>();
  for (std::int64_t i = 0; i < logits.dim(0); ++i, row += k) {
    NM_CHECK(label[i] >= 0 && label[i] < k, "[scores] label ", label[i], " with ", k, " classes");
    add_example(row, label[i]);
  }
}

void ScoreKeeper::add_example(const float* row, std::int64_t label) {
  const float* top = std::max_element(row, row + classes_);
  const float own = row[label];
  double sum = 0, squares = 0;
  std::int64_t before = 0;  // classes ranked above the label
  for (std::int64_t j = 0; j < classes_; ++j) {
    const double weight = std::exp(static_cast<double>(row[j]) - static_cast<double>(*top));
    sum += weight;
    squares += weight * weight;
    before += row[j] > own || (row[j] == own && j < label);
  }
  // A diverged model, whose logits are NaN or infinite, has no confidence in anything.
  confidence_.push_back(std::isfinite(sum) ? 1 / sum : 0);
  correct_.push_back(top - row == label);
  predictions_.push_back(static_cast<std::int32_t>(top - row));
  labels_.push_back(static_cast<std::int32_t>(label));
  const double excess = static_cast<double>(own) - static_cast<double>(*top);
  loss_sum_ += std::log(sum) - excess;
  brier_sum_ += squares / (sum * sum) - 2 * std::exp(excess) / sum + 1;
  top5_ += before < kTop;
}

Scores ScoreKeeper::scores(int bins) const {
  Scores result;
  result.count = static_cast<std::int64_t>(correct_.size());
  if (result.count == 0) return result;
  const auto right = std::count(correct_.begin(), correct_.end(), std::uint8_t{1});
  result.accuracy = static_cast<double>(right) / static_cast<double>(result.count);
  result.loss = loss_sum_ / static_cast<double>(result.count);
  result.brier = brier_sum_ / static_cast<double>(result.count);
  result.top5_accuracy = static_cast<double>(top5_) / static_cast<double>(result.count);
  result.mean_confidence =
      std::accumulate(confidence_.begin(), confidence_.end(), 0.0) / static_cast<double>(result.count);
  result.calibration_error = calibration_errors(calibration_bins(confidence_, correct_, bins)).ece;
  return result;
}

void ScoreKeeper::fill(Cell& cell) const {
  const Scores measured = scores();
  cell.count = measured.count;
  cell.accuracy = measured.accuracy;
  cell.loss = measured.loss;
  cell.ece = measured.calibration_error;
  cell.adaptive_rms = adaptive_rms(confidence_, correct_);
  cell.aurra = aurra(confidence_, correct_);
  cell.bins = calibration_bins(confidence_, correct_, kPooledBins);
  cell.correct = correct_;
}

void ScoreKeeper::count_confusion(int classes, std::vector<std::int64_t>& counts) const {
  NM_CHECK(classes_ == 0 || classes_ == classes, "[confusion] counts of ", classes,
           " classes do not fit predictions over ", classes_);
  const auto k = static_cast<std::size_t>(classes);
  if (counts.empty()) counts.resize(k * k);
  NM_CHECK(counts.size() == k * k, "[confusion] ", counts.size(), " counts, expected ", classes, " x ",
           classes);
  for (std::size_t i = 0; i < predictions_.size(); ++i)
    ++counts[static_cast<std::size_t>(labels_[i]) * k + static_cast<std::size_t>(predictions_[i])];
}

}  // namespace noisymix
