// A trained model on a test set: clean, under white noise, under salt & pepper.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "augment/image.h"
#include "data/dataset.h"
#include "models/registry.h"
#include "tools/evaluation/metrics.h"
#include "tools/evaluation/perturb.h"

namespace noisymix {

struct EvaluateOptions {
  std::int64_t batch = 256;
  std::vector<double> white_noise = {0.1, 0.2, 0.3};    ///< standard deviations in normalised units
  std::vector<double> salt_pepper = {0.02, 0.04, 0.1};  ///< shares of the pixels; images only
  SaltPepperChannels channels = SaltPepperChannels::red;
  std::uint64_t seed = 0;  ///< of the perturbations
  int workers = 1;
};

/// Scores at one level of one perturbation.
struct PerturbedScores {
  std::string perturbation;  ///< "white_noise" or "salt_pepper"
  double level = 0;
  Scores scores;
};

struct EvaluationReport {
  std::string data;  ///< description of the test set
  Scores clean;
  std::vector<PerturbedScores> perturbed;
};

/// Runs the model in evaluation mode over the whole set, each batch clean and at every level. The result does
/// not depend on batch size or threads up to the rounding of the model itself. `progress` (may be empty)
/// hears examples done.
EvaluationReport evaluate_model(
    Model& model, std::shared_ptr<const Dataset> data, const Normalization& normalization,
    const EvaluateOptions& options,
    const std::function<void(std::int64_t done, std::int64_t total)>& progress = {});

/// A table for people; one JSON object with fractions.
std::string to_text(const EvaluationReport& report);
std::string to_json(const EvaluationReport& report);

/// Several models on one test set.
struct NamedReport {
  std::string name;  ///< of the run or weight file
  EvaluationReport report;
};

/// Accuracies side by side, a row per perturbation and level, with the means over white noise and salt &
/// pepper and, for two models, the difference in points. All reports must have the same rows.
std::string comparison_text(const std::vector<NamedReport>& reports);
/// A JSON array of the reports, each with its name as "run".
std::string comparison_json(const std::vector<NamedReport>& reports);

}  // namespace noisymix
