// What an evaluation measures: suites by name, and the levels of each.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "augment/corruptions/corruption.h"
#include "augment/sequences/sequence.h"
#include "tools/evaluation/perturb.h"

namespace noisymix {

enum class Suite {
  clean,        ///< the test set as it is
  corruptions,  ///< common corruptions at five severities
  sequences,    ///< perturbation sequences: how often the prediction flips
  noise,        ///< white noise, salt & pepper
  attacks,      ///< FGSM, PGD
  calibration,  ///< clean and corruptions, read for confidence instead of accuracy
};
const char* name_of(Suite suite);

/// In a fixed order, each once; clean always comes first, because the others are compared with it. Throws
/// ConfigError for an unknown or empty name, with the nearest known one, and for an empty list.
std::vector<Suite> suites_named(const std::vector<std::string>& names);

/// Corruption types by name; "all" means all nineteen, "benchmark" the fifteen. Throws as suites_named().
std::vector<CorruptionType> corruptions_named(const std::vector<std::string>& names);
/// The same for sequences: "all" are fourteen, "benchmark" ten.
std::vector<SequenceType> sequences_named(const std::vector<std::string>& names);

struct AttackLevels {
  std::vector<double> fgsm = {2. / 255, 4. / 255, 8. / 255};      ///< radii in unit range
  std::vector<double> pgd_linf = {1. / 255, 2. / 255, 4. / 255};  ///< radii in unit range
  std::vector<double> pgd_l2 = {0.25, 0.5, 1};                    ///< radii in unit range
  int iterations = 7;
};

struct EvaluateOptions {
  std::vector<Suite> suites = {Suite::clean, Suite::noise};
  std::vector<CorruptionType> corruptions;  ///< empty: the fifteen of the benchmark
  std::vector<int> severities = {1, 2, 3, 4, 5};
  std::vector<SequenceType> sequences;                  ///< empty: the ten of the benchmark
  std::vector<int> difficulties = {1};                  ///< of sequences, 1 to 3
  std::vector<double> white_noise = {0.1, 0.2, 0.3};    ///< standard deviations in normalised units
  std::vector<double> salt_pepper = {0.02, 0.04, 0.1};  ///< shares of the pixels; images only
  SaltPepperChannels channels = SaltPepperChannels::red;
  AttackLevels attacks;
  std::int64_t attack_limit = 1000;    ///< attacks and sequences cost a hundred times as much as a clean
  std::int64_t sequence_limit = 1000;  ///< picture: first examples only; 0 means all
  ParameterSet parameters = ParameterSet::cifar;
  CorruptionOptions corruption_options;
  std::string corrupted_from;  ///< folder of published corruptions; empty: corrupted here
  bool skip_unreadable =
      false;               ///< pictures in trees that cannot be decoded: leave them out instead of failing
  std::uint64_t seed = 0;  ///< of corruptions, sequences, noise and attacks
  std::int64_t batch = 256;

  bool has(Suite suite) const;
};

/// What shapes the cells besides their places, the constants and the seed, in words.
std::string settings_of(const EvaluateOptions& options);

/// The constants made for images of about this size: 32, 64 or 224 pixels.
ParameterSet parameters_for(int side);

}  // namespace noisymix
