// What is measured on predictions: accuracy, cross-entropy, calibration and which classes are confused.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"
#include "tools/evaluation/calibration.h"
#include "tools/evaluation/results.h"

namespace noisymix {

struct Scores {
  std::int64_t count = 0;
  double accuracy = 0;           ///< fraction in [0, 1]
  double loss = 0;               ///< mean cross-entropy, natural logarithm
  double calibration_error = 0;  ///< expected calibration error over 15 bins, in [0, 1]
  double mean_confidence = 0;    ///< mean largest probability
  double brier = 0;              ///< mean over examples of sum over classes of (probability - truth)^2
  double top5_accuracy = 0;      ///< the label is among the five likeliest classes; 1 up to five classes
};

/// The given columns of logits [n, classes], in their order: a model of many classes asked about a few.
/// Throws ShapeError for a column that does not exist.
Tensor select_classes(const Tensor& logits, const std::vector<std::int64_t>& classes);

/// Collects predictions batch by batch; everything is computed in double.
class ScoreKeeper {
 public:
  /// logits f32 [n, classes], labels i64 [n]. Ties go to the first class. The number of classes may not
  /// change.
  void add(const Tensor& logits, const Tensor& labels);
  Scores scores(int bins = kEceBins) const;

  /// Sets everything measured in a cell; suite, type, severity and level are the caller's. adaptive_rms is
  /// NaN with fewer than 100 examples.
  void fill(Cell& cell) const;
  /// Adds to counts [true class, predicted class], made first when they are empty.
  void count_confusion(int classes, std::vector<std::int64_t>& counts) const;

  const std::vector<double>& confidence() const { return confidence_; }
  const std::vector<std::uint8_t>& correct() const { return correct_; }
  const std::vector<std::int32_t>& predictions() const { return predictions_; }
  const std::vector<std::int32_t>& labels() const { return labels_; }

 private:
  void add_example(const float* row, std::int64_t label);

  std::vector<double> confidence_;
  std::vector<std::uint8_t> correct_;
  std::vector<std::int32_t> predictions_, labels_;
  std::int64_t classes_ = 0;
  double loss_sum_ = 0, brier_sum_ = 0;
  std::int64_t top5_ = 0;
};

}  // namespace noisymix
