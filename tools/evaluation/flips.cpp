#include "tools/evaluation/flips.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <numeric>

#include "engine/cpu/parallel.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr int kTop = 5;

/// Class numbers by falling logit; NaN ranks last.
void rank_classes(const float* logits, std::span<std::int32_t> classes) {
  std::iota(classes.begin(), classes.end(), 0);
  const auto value = [&](std::int32_t c) {
    return std::isnan(logits[c]) ? -std::numeric_limits<float>::infinity() : logits[c];
  };
  std::sort(classes.begin(), classes.end(), [&](std::int32_t a, std::int32_t b) {
    const float x = value(a), y = value(b);
    return x > y || (x == y && a < b);
  });
}

}  // namespace

FlipKeeper::FlipKeeper(bool noise, int difficulty) : noise_(noise), difficulty_(difficulty) {
  NM_CHECK(difficulty >= 1, "[flips] difficulty is ", difficulty, ", expected 1 or more");
}

void FlipKeeper::add(const Tensor& logits) {
  NM_CHECK(logits.rank() == 2 && logits.dim(0) > 0 && logits.dim(1) > 0,
           "[flips] expects logits [sequences, classes], got ", logits.shape());
  const auto n = static_cast<std::size_t>(logits.dim(0)), k = static_cast<std::size_t>(logits.dim(1));
  const std::size_t distance = noise_ ? 1 : static_cast<std::size_t>(difficulty_);
  if (frames_ == 0) {
    sequences_ = n;
    classes_ = k;
    references_.assign(distance, std::vector<std::int32_t>(n * k));
    for (auto* sums : {&flips_, &top5_, &zipf_}) sums->assign(n, 0.0);
  }
  NM_CHECK(n == sequences_ && k == classes_, "[flips] frame ", frames_, " has logits ", logits.shape(),
           ", but the first one had [", sequences_, ", ", classes_, "]");
  // The slot of the frame to compare with is the one that this frame then takes.
  const auto frame = static_cast<std::size_t>(frames_);
  std::vector<std::int32_t>& reference = references_[noise_ ? 0 : frame % distance];
  const bool compared = frame >= distance, kept = !noise_ || frame == 0;
  const float* values = logits.data<float>();
  cpu::parallel_for(static_cast<std::int64_t>(n), 16, [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int32_t> order(k), ranks(k);
    for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
      rank_classes(values + i * k, order);
      if (compared) {
        for (std::size_t r = 0; r < k; ++r)
          ranks[static_cast<std::size_t>(order[r])] = static_cast<std::int32_t>(r);
        compare(i, &reference[i * k], ranks.data(), order[0]);
      }
      if (kept) std::copy(order.begin(), order.end(), reference.begin() + static_cast<std::ptrdiff_t>(i * k));
    }
  });
  comparisons_ += compared;
  ++frames_;
}

void FlipKeeper::compare(std::size_t sequence, const std::int32_t* earlier, const std::int32_t* later_ranks,
                         std::int32_t later_first) {
  if (earlier[0] != later_first) flips_[sequence] += 1;
  int top5 = 0;
  double zipf = 0;
  for (std::size_t r = 0; r < classes_; ++r) {
    const int rank = static_cast<int>(r), moved = later_ranks[static_cast<std::size_t>(earlier[r])];
    if (rank < kTop) top5 += std::abs(rank - std::min(moved, kTop));
    if (moved != rank) zipf += std::abs(1.0 / (rank + 1) - 1.0 / (moved + 1)) / (rank + 1);
  }
  top5_[sequence] += top5;
  zipf_[sequence] += zipf;
}

std::vector<double> FlipKeeper::means(const std::vector<double>& sums) const {
  NM_CHECK(comparisons_ > 0, "[flips] ", frames_, " frames are too few to compare any, expected at least ",
           (noise_ ? 1 : difficulty_) + 1);
  std::vector<double> result;
  for (const double sum : sums) result.push_back(sum / static_cast<double>(comparisons_));
  return result;
}

const std::vector<std::string>& benchmark_perturbations() {
  static const std::vector<std::string> types = [] {
    std::vector<std::string> all;
    for (const PerturbationCategory& category : perturbation_categories())
      all.insert(all.end(), category.types.begin(), category.types.end());
    return all;
  }();
  return types;
}

const std::vector<PerturbationCategory>& perturbation_categories() {
  static const std::vector<PerturbationCategory> categories = {
      {"noise", {"gaussian_noise", "shot_noise"}},
      {"blur", {"motion_blur", "zoom_blur"}},
      {"weather", {"snow", "brightness"}},
      {"digital", {"translate", "rotate", "tilt", "scale"}},
  };
  return categories;
}

double mean_flip_probability(std::span<const double> flips) {
  NM_CHECK(!flips.empty(), "[mean_flip_probability] expects at least one type");
  return std::accumulate(flips.begin(), flips.end(), 0.0) / static_cast<double>(flips.size());
}

double flip_rate(double flip, double baseline) {
  NM_CHECK(baseline > 0, "[flip_rate] the baseline flips with probability ", baseline,
           ", expected a positive one");
  return flip / baseline;
}

double mean_flip_rate(std::span<const double> flips, std::span<const double> baseline) {
  NM_CHECK(flips.size() == baseline.size() && !flips.empty(), "[mean_flip_rate] ", flips.size(),
           " types but ", baseline.size(), " baselines");
  double sum = 0;
  for (std::size_t i = 0; i < flips.size(); ++i) sum += flip_rate(flips[i], baseline[i]);
  return sum / static_cast<double>(flips.size());
}

}  // namespace noisymix
