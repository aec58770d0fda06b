// Evaluation results made up for tests of comparisons and reports.
#pragma once

#include <string>
#include <vector>

#include "engine/key.h"
#include "tools/evaluation/corruption_error.h"
#include "tools/evaluation/results.h"

namespace noisymix::testing {

/// `accuracy` of the examples are right, which ones follows from `seed`.
inline Cell sample_cell(const std::string& suite, const std::string& type, int severity, double level,
                        std::int64_t count, double accuracy, std::uint64_t seed) {
  Cell cell;
  cell.suite = suite, cell.type = type, cell.severity = severity, cell.level = level, cell.count = count;
  cell.bins.resize(16);
  const Key key = Key(seed).child(suite).child(type).child(severity);
  std::int64_t right = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const bool correct = key.uniform(static_cast<std::uint64_t>(i)) < accuracy;
    cell.correct.push_back(correct);
    right += correct;
    BinSums& bin = cell.bins[static_cast<std::size_t>(8 + i % 8)];
    const double confidence = (8.5 + static_cast<double>(i % 8)) / 16;
    ++bin.count;
    bin.confidence += confidence;
    bin.confidence_squared += confidence * confidence;
    bin.correct += correct;
  }
  cell.accuracy = static_cast<double>(right) / static_cast<double>(count);
  return cell;
}

/// All suites on `count` examples of three classes.
inline EvaluationResults sample_results(const std::string& title, std::uint64_t seed, double accuracy,
                                        std::int64_t count = 50) {
  EvaluationResults results;
  results.run = "runs/" + title + std::to_string(seed);
  results.title = title;
  results.seed = seed;
  results.weights_hash = title + "-" + std::to_string(seed);
  results.data = "test images";
  results.data_hash = "0123";
  results.version = "1.2.3";
  results.class_names = {"cat", "dog", "frog"};
  results.seconds = 75;
  results.images = 10000;
  results.cells.push_back(sample_cell("clean", "clean", 0, 0, count, accuracy, seed));
  for (const std::string& type : benchmark_corruption_names()) {
    for (int severity = 1; severity <= 5; ++severity) {
      results.cells.push_back(
          sample_cell("corruptions", type, severity, 0, count, accuracy - 0.08 * severity, seed));
    }
  }
  for (const double level : {0.1, 0.2}) {
    results.cells.push_back(sample_cell("noise", "white_noise", 0, level, count, accuracy - level, seed));
    results.cells.push_back(sample_cell("attacks", "fgsm", 0, level / 10, count, accuracy - 2 * level, seed));
  }
  for (const char* type : {"gaussian_noise", "translate"}) {
    SequenceScores scores;
    scores.type = type;
    scores.noise = scores.type == "gaussian_noise";
    scores.count = count;
    scores.frames = 31;
    for (std::int64_t i = 0; i < count; ++i) scores.flips.push_back(static_cast<float>(i % 4) / 30);
    for (const float flip : scores.flips)
      scores.flip_probability += static_cast<double>(flip) / static_cast<double>(count);
    results.sequences.push_back(scores);
  }
  results.clean_confusion = {40, 5, 5, 4, 44, 2, 1, 1, 48};
  results.corrupted_confusion = {30, 12, 8, 14, 34, 2, 11, 1, 38};
  return results;
}

}  // namespace noisymix::testing
