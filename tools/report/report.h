// One HTML file about trained runs: what they learnt, how robust they are, what they are made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tools/evaluation/results.h"
#include "tools/plot_boundary.h"
#include "tools/plot_curves.h"
#include "tools/report/image_grid.h"

namespace noisymix::report {

/// What metrics.jsonl says about the training besides its curve.
struct TrainingFacts {
  std::string model, train_data, version;
  std::int64_t parameters = 0, epochs = 0;
  std::uint64_t seed = 0;
  double seconds = 0;            ///< of all epochs
  double images_per_second = 0;  ///< mean over epochs
};

/// Everything known of one run; what is absent is left out of the report.
struct ReportRun {
  std::string path;
  std::string label;   ///< for people, short; see label_runs()
  std::string common;  ///< the part of the title that all runs share
  std::optional<EvaluationResults> results;
  std::optional<TrainingCurve> curve;
  std::optional<TrainingFacts> training;
  std::string config;               ///< config.toml
  std::vector<HarmedImage> harmed;  ///< most confidently mistaken under a corruption
  std::optional<BoundaryPanel> boundary;
};

/// Reads what a run folder, or the evaluation beside a weight file, holds; not the model. Throws DataError
/// when there is neither a training log nor an evaluation, or when one of them is damaged.
ReportRun read_report_run(const std::filesystem::path& path);

/// Gives each run the title of its training as label, without the parts between commas that all titles end
/// with, and with the seed or the folder where titles are alike.
void label_runs(std::vector<ReportRun>& runs);

/// The document. The first run is the one others are compared with. Throws ConfigError when evaluations are
/// of different images, seeds or constants.
std::string make_report(const std::vector<ReportRun>& runs);

}  // namespace noisymix::report
