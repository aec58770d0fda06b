// What is measured on predictions: accuracy, cross-entropy and calibration.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/tensor.h"

namespace noisymix {

struct Scores {
  std::int64_t count = 0;
  double accuracy = 0;           ///< fraction in [0, 1]
  double loss = 0;               ///< mean cross-entropy, natural logarithm
  double calibration_error = 0;  ///< expected calibration error over 15 bins, in [0, 1]
};

/// One bin of a reliability diagram; the means are 0 in an empty bin.
struct CalibrationBin {
  std::int64_t count = 0;
  double confidence = 0, accuracy = 0;  ///< means over the bin
};

/// Equal-width bins (a, b] on [0, 1]. `confidence` are largest softmax probabilities, `correct` is 0 or 1.
std::vector<CalibrationBin> calibration_bins(const std::vector<double>& confidence,
                                             const std::vector<std::uint8_t>& correct, int bins);

/// sum over bins of (count / n) |accuracy - confidence| (Naeini et al. 2015).
double expected_calibration_error(const std::vector<CalibrationBin>& bins);

/// Collects predictions batch by batch; everything is computed in double.
class ScoreKeeper {
 public:
  /// logits f32 [n, classes], labels i64 [n]. Ties go to the first class.
  void add(const Tensor& logits, const Tensor& labels);
  Scores scores(int bins = 15) const;

  const std::vector<double>& confidence() const { return confidence_; }
  const std::vector<std::uint8_t>& correct() const { return correct_; }

 private:
  std::vector<double> confidence_;
  std::vector<std::uint8_t> correct_;
  double loss_sum_ = 0;
};

}  // namespace noisymix
