// How stable predictions are along sequences of slightly changed images.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "engine/tensor.h"
#include "tools/evaluation/results.h"

namespace noisymix {

/// Follows n sequences frame by frame. Each frame is compared with the one `difficulty` before it (so that
/// the sequence falls into that many interleaved ones), or for noise always with frame 0. Kept in memory are
/// the rankings of the frames to compare with, never all of them.
///
/// With sigma(i) the rank, from 1, that the class on rank i of the earlier frame has in the later one:
/// the top-5 distance is sum_{i <= 5} |min(i - 1, 5) - min(sigma(i) - 1, 5)|, the Zipf distance
/// sum_i |1 / i - 1 / sigma(i)| / i. Classes with equal logits rank by number.
class FlipKeeper {
 public:
  explicit FlipKeeper(bool noise, int difficulty = 1);

  /// logits f32 [n, classes] of the next frame of all sequences. Throws ShapeError unless every frame has the
  /// shape of the first.
  void add(const Tensor& logits);
  int frames() const { return frames_; }

  /// Per sequence the means over all comparisons; fraction of changed predictions, top-5 and Zipf distance.
  /// Throws ShapeError when there were too few frames for one comparison.
  std::vector<double> flip_fractions() const { return means(flips_); }
  std::vector<double> top5_distances() const { return means(top5_); }
  std::vector<double> zipf_distances() const { return means(zipf_); }

 private:
  void compare(std::size_t sequence, const std::int32_t* earlier, const std::int32_t* later_ranks,
               std::int32_t later_first);
  std::vector<double> means(const std::vector<double>& sums) const;

  bool noise_;
  int difficulty_, frames_ = 0;
  std::int64_t comparisons_ = 0;
  std::size_t sequences_ = 0, classes_ = 0;
  /// Classes by rank of the frames to compare with, [slot, sequence, rank].
  std::vector<std::vector<std::int32_t>> references_;
  std::vector<double> flips_, top5_, zipf_;  ///< sums per sequence
};

/// The ten perturbations of the benchmark, and the four kinds they fall into.
const std::vector<std::string>& benchmark_perturbations();
struct PerturbationCategory {
  std::string key;  ///< "noise", "blur", "weather", "digital"
  std::vector<std::string> types;
};
const std::vector<PerturbationCategory>& perturbation_categories();

/// Mean of flip probabilities: mFP of the benchmark when given its ten types. Throws ShapeError for none.
double mean_flip_probability(std::span<const double> flips);
/// Flip rate: a flip probability in units of a baseline's; mFR, the mean over types. Throws ShapeError unless
/// the baseline is positive and there is one for each type.
double flip_rate(double flip, double baseline);
double mean_flip_rate(std::span<const double> flips, std::span<const double> baseline);

}  // namespace noisymix
