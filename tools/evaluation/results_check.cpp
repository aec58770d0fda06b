#include "tools/evaluation/results_check.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "data/file_bytes.h"
#include "engine/error.h"

namespace noisymix {
namespace {

constexpr std::size_t kStoredBins = 16;

class Checker {
 public:
  explicit Checker(const std::function<void(const std::string&, const std::string&)>& bad) : bad_(bad) {}

  template <typename... Parts>
  void require(bool condition, const std::string& field, const Parts&... problem) const {
    if (!condition) bad_(field, detail::concat_message(problem...));
  }
  void fraction(double value, const std::string& field) const {
    require(value >= 0 && value <= 1, field, "is ", value, ", expected 0 to 1");
  }
  void not_negative(double value, const std::string& field) const {
    require(std::isfinite(value) && value >= 0, field, "is ", value, ", expected 0 or more");
  }

 private:
  const std::function<void(const std::string&, const std::string&)>& bad_;
};

void check_place(const Checker& check, const Cell& cell, const std::string& at) {
  const bool clean = cell.suite == "clean", corruption = cell.suite == "corruptions";
  check.require(
      clean || corruption || cell.suite == "noise" || cell.suite == "attacks" || cell.suite == "renditions",
      at + ".suite", "is '", printable(cell.suite),
      "', expected clean, corruptions, noise, attacks or renditions");
  check.require(!cell.type.empty() && (!clean || cell.type == "clean"), at + ".type", "is '",
                printable(cell.type), "', which the suite ", cell.suite, " does not have");
  check.require(corruption ? cell.severity >= 1 && cell.severity <= 5 : cell.severity == 0, at + ".severity",
                "is ", cell.severity, ", expected ", corruption ? "1 to 5" : "0", " in the suite ",
                cell.suite);
  check.not_negative(cell.level, at + ".level");
  check.require(!(clean || corruption) || cell.level == 0, at + ".level", "is ", cell.level,
                ", expected 0 in the suite ", cell.suite);
}

void check_bins(const Checker& check, const Cell& cell, std::int64_t right, const std::string& at) {
  check.require(cell.bins.empty() || cell.bins.size() == kStoredBins, at + ".bins", "has ", cell.bins.size(),
                " bins, expected ", kStoredBins);
  std::int64_t count = 0, correct = 0;
  for (std::size_t i = 0; i < cell.bins.size(); ++i) {
    const BinSums& bin = cell.bins[i];
    const std::string field = at + ".bins[" + std::to_string(i) + "]";
    check.require(bin.count >= 0 && bin.count <= cell.count - count, field, "counts ", bin.count,
                  " examples, more than the cell has");
    check.require(bin.correct >= 0 && bin.correct <= bin.count, field, "has ", bin.correct, " correct of ",
                  bin.count);
    const auto most = static_cast<double>(bin.count) * (1 + 1e-9);
    check.require(bin.confidence >= 0 && bin.confidence <= most, field, "has a confidence sum of ",
                  bin.confidence, " over ", bin.count, " examples");
    check.require(bin.confidence_squared >= 0 && bin.confidence_squared <= most, field,
                  "has a sum of squared confidences of ", bin.confidence_squared, " over ", bin.count,
                  " examples");
    count += bin.count;
    correct += bin.correct;
  }
  if (cell.bins.empty()) return;
  check.require(count == cell.count, at + ".bins", "count ", count, " examples, but the cell has ",
                cell.count);
  check.require(cell.correct.empty() || correct == right, at + ".bins", "have ", correct,
                " correct examples, but the cell has ", right);
}

void check_cell(const Checker& check, const Cell& cell, const std::string& at) {
  check_place(check, cell, at);
  check.require(cell.count > 0, at + ".count", "is ", cell.count, ", expected 1 or more");
  check.fraction(cell.accuracy, at + ".accuracy");
  check.require(std::isnan(cell.loss) || cell.loss >= 0, at + ".loss", "is ", cell.loss,
                ", expected 0 or more");
  check.fraction(cell.ece, at + ".ece");
  if (!std::isnan(cell.adaptive_rms)) check.fraction(cell.adaptive_rms, at + ".adaptive_rms");
  check.fraction(cell.aurra, at + ".aurra");
  check.require(cell.correct.empty() || static_cast<std::int64_t>(cell.correct.size()) == cell.count,
                at + ".correct", "has ", cell.correct.size(), " entries, but the cell counts ", cell.count,
                " examples");
  check.require(
      std::all_of(cell.correct.begin(), cell.correct.end(), [](std::uint8_t bit) { return bit <= 1; }),
      at + ".correct", "has an entry that is neither 0 nor 1");
  const auto right = std::accumulate(cell.correct.begin(), cell.correct.end(), std::int64_t{0});
  if (!cell.correct.empty()) {
    const double accuracy = static_cast<double>(right) / static_cast<double>(cell.count);
    check.require(std::abs(accuracy - cell.accuracy) <= 1e-9, at + ".accuracy", "is ", cell.accuracy,
                  ", but ", right, " of ", cell.count, " examples are correct");
  }
  check_bins(check, cell, right, at);
}

void check_sequence(const Checker& check, const SequenceScores& scores, const std::string& at) {
  check.require(!scores.type.empty(), at + ".type", "is empty");
  check.require(scores.difficulty >= 1 && scores.difficulty <= 3, at + ".difficulty", "is ",
                scores.difficulty, ", expected 1 to 3");
  check.require(scores.count > 0, at + ".count", "is ", scores.count, ", expected 1 or more");
  check.require(scores.frames >= 2, at + ".frames", "is ", scores.frames, ", expected 2 or more");
  check.fraction(scores.flip_probability, at + ".flip_probability");
  check.not_negative(scores.top5_distance, at + ".top5_distance");
  check.not_negative(scores.zipf_distance, at + ".zipf_distance");
  if (scores.flips.empty()) return;
  check.require(static_cast<std::int64_t>(scores.flips.size()) == scores.count, at + ".flips", "has ",
                scores.flips.size(), " entries, but there are ", scores.count, " sequences");
  double sum = 0;
  for (const float flip : scores.flips) {
    check.require(flip >= 0 && flip <= 1, at + ".flips", "has the entry ", flip, ", expected 0 to 1");
    sum += static_cast<double>(flip);
  }
  const double mean = sum / static_cast<double>(scores.count);
  check.require(std::abs(mean - scores.flip_probability) <= 1e-6, at + ".flip_probability", "is ",
                scores.flip_probability, ", but the mean of flips is ", mean);
}

void check_confusion(const Checker& check, const EvaluationResults& results,
                     const std::vector<std::int64_t>& counts, const std::string& at) {
  if (counts.empty()) return;
  const std::size_t classes = results.class_names.size();
  check.require(counts.size() == classes * classes, at, "has ", counts.size(), " entries, expected ", classes,
                " x ", classes);
  check.require(std::all_of(counts.begin(), counts.end(), [](std::int64_t count) { return count >= 0; }), at,
                "has a negative entry");
}

}  // namespace

void check_results(const EvaluationResults& results,
                   const std::function<void(const std::string&, const std::string&)>& bad) {
  const Checker check(bad);
  const auto at = [](const char* list, std::size_t i) { return list + ("[" + std::to_string(i) + "]"); };
  for (std::size_t i = 0; i < results.cells.size(); ++i) {
    check_cell(check, results.cells[i], at("cells", i));
    for (std::size_t j = 0; j < i; ++j)
      check.require(!results.cells[i].same_place(results.cells[j]), at("cells", i), "repeats ",
                    at("cells", j));
  }
  for (std::size_t i = 0; i < results.sequences.size(); ++i) {
    const SequenceScores& scores = results.sequences[i];
    check_sequence(check, scores, at("sequences", i));
    for (std::size_t j = 0; j < i; ++j)
      check.require(
          scores.type != results.sequences[j].type || scores.difficulty != results.sequences[j].difficulty,
          at("sequences", i), "repeats ", at("sequences", j));
  }
  check_confusion(check, results, results.clean_confusion, "clean_confusion");
  check_confusion(check, results, results.corrupted_confusion, "corrupted_confusion");
  const Cell* clean = results.find("clean", "clean");
  if (clean != nullptr && !results.clean_confusion.empty()) {
    // Each entry is bounded first, so that the sum cannot overflow.
    for (const std::int64_t count : results.clean_confusion)
      check.require(count <= clean->count, "clean_confusion", "has the entry ", count, " with ", clean->count,
                    " examples");
    const auto sum =
        std::accumulate(results.clean_confusion.begin(), results.clean_confusion.end(), std::int64_t{0});
    check.require(sum == clean->count, "clean_confusion", "counts ", sum,
                  " examples, but the clean cell has ", clean->count);
  }
  check.not_negative(results.seconds, "seconds");
  check.require(results.images >= 0, "images", "is ", results.images, ", expected 0 or more");
}

}  // namespace noisymix
