// What is known of one trained model's robustness: the file evaluation.json of a run, filled cell by cell.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace noisymix {

/// Sums over the examples whose confidence falls in one of the equal-width bins (a, b] of [0, 1]. Sums of
/// several cells add up, so calibration can be pooled over types and severities.
struct BinSums {
  std::int64_t count = 0;
  double confidence = 0, confidence_squared = 0;
  std::int64_t correct = 0;
};

/// The model on one variant of the test set.
struct Cell {
  std::string suite;  ///< "clean", "corruptions", "noise" or "attacks"
  std::string
      type;  ///< "clean"; "gaussian_noise", ...; "white_noise", "salt_pepper"; "fgsm", "pgd_linf", "pgd_l2"
  int severity = 0;                   ///< 1 to 5 for corruptions, else 0
  double level = 0;                   ///< deviation, share of pixels or radius of noise and attacks, else 0
  std::int64_t count = 0;             ///< examples
  double accuracy = 0;                ///< fraction in [0, 1]
  double loss = 0;                    ///< mean cross-entropy
  double ece = 0;                     ///< expected calibration error, 15 bins
  double adaptive_rms = 0;            ///< RMS calibration error, equal-count bins, the last bin included
  double aurra = 0;                   ///< area under the response rate accuracy curve
  std::vector<BinSums> bins;          ///< 16 equal-width bins, as DiGN counts
  std::vector<std::uint8_t> correct;  ///< per example, in the order of the test set

  bool same_place(const Cell& other) const {
    return suite == other.suite && type == other.type && severity == other.severity && level == other.level;
  }
};

/// The model on one kind of perturbation sequence.
struct SequenceScores {
  std::string type;        ///< "gaussian_noise", "translate", ...
  bool noise = false;      ///< frames are compared with the first one, not with their predecessors
  int difficulty = 1;      ///< 1 to 3: harder noise levels, or frames further apart
  std::int64_t count = 0;  ///< sequences
  int frames = 0;          ///< per sequence, the first included
  double flip_probability = 0, top5_distance = 0, zipf_distance = 0;  ///< means over sequences
  std::vector<float> flips;  ///< flip probability of each sequence, in the order of the test set
};

/// One run on one test set.
struct EvaluationResults {
  std::string run;                        ///< path of the run folder or weight file
  std::string title;                      ///< of the run, from its config
  std::uint64_t seed = 0;                 ///< of the training run
  std::string weights_hash;               ///< of the weight file: results of other weights are thrown away
  std::string data;                       ///< description of the test set
  std::string data_hash;                  ///< of its images and labels
  std::string parameter_set = "cifar-c";  ///< constants of corruptions and sequences
  std::string settings;                   ///< what else shapes the cells, in words
  std::uint64_t evaluation_seed = 0;      ///< of corruptions, noise and attacks
  std::string version;                    ///< of noisymix
  std::vector<std::string> class_names;
  std::vector<Cell> cells;
  std::vector<SequenceScores> sequences;
  /// Counts [true class, predicted class], clean and over all corruptions seen.
  std::vector<std::int64_t> clean_confusion, corrupted_confusion;
  double seconds = 0;       ///< of evaluation, all suites together
  std::int64_t images = 0;  ///< evaluated in that time

  const Cell* find(const std::string& suite, const std::string& type, int severity = 0,
                   double level = 0) const;
  const SequenceScores* find_sequence(const std::string& type, int difficulty = 1) const;
};

/// RUN/evaluation.json of a run folder; MODEL.evaluation.json beside a weight file.
std::filesystem::path results_file(const std::filesystem::path& run);

/// Written atomically. Correctness per example is stored as base64 of bits, so that ten thousand examples
/// take under 2 kB a cell.
void save_results(const std::filesystem::path& path, const EvaluationResults& results);

/// Throws DataError naming the file, and what is wrong, for anything but a file of save_results().
EvaluationResults load_results(const std::filesystem::path& path);

}  // namespace noisymix
