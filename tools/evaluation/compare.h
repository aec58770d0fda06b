// Evaluated runs side by side: seeds of one configuration as a group, groups against the first one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tools/evaluation/bootstrap.h"
#include "tools/evaluation/results.h"

namespace noisymix {

/// Runs that share a title: one configuration, trained with several seeds.
struct RunGroup {
  std::string title;
  std::vector<std::size_t> runs;     ///< places in the list given to compare_results()
  std::vector<std::string> names;    ///< paths of the runs
  std::vector<std::uint64_t> seeds;  ///< of their training
};

/// A number of one group, over its seeds.
struct SeedSpread {
  int runs = 0;
  double mean = 0, deviation = 0;  ///< the sample deviation, 0 for one run
  double low = 0, high = 0;        ///< smallest and largest
};

/// Of at least one number.
SeedSpread spread_of(const std::vector<double>& values);

/// A group's mean less the first group's.
struct GroupDifference {
  double value = 0;
  std::optional<Interval> interval;  ///< over test images; absent for what is no mean over images
};

struct ComparedRow {
  std::string section, name;  ///< "Accuracy", "Clean"
  bool lower_is_better = false;
  std::vector<std::optional<SeedSpread>> groups;            ///< fractions
  std::vector<std::optional<GroupDifference>> differences;  ///< empty for the first group
};

struct Comparison {
  std::string data;
  std::uint64_t evaluation_seed = 0;
  std::int64_t examples = 0;
  std::vector<RunGroup> groups;
  std::vector<ComparedRow> rows;
  BootstrapOptions bootstrap;
};

/// Throws ConfigError, naming two runs and what differs, unless all were evaluated on the same images with
/// the same seed and constants; and when one run is given twice.
void check_comparable(const std::vector<EvaluationResults>& runs);

/// By title (by the run's name where it has none), in the order in which the titles first come.
std::vector<RunGroup> group_by_title(const std::vector<EvaluationResults>& runs);

/// A row takes a mean over those of its cells that every run has; its name tells when they are not all. Rows
/// without any are left out. The intervals tell how much a difference depends on the test images drawn; what
/// depends on the seed of training is the deviation's part.
Comparison compare_results(const std::vector<EvaluationResults>& runs,
                           const BootstrapOptions& bootstrap = {});

/// A table for people; one JSON object with fractions; a CSV line per row and group; a Markdown table.
std::string to_text(const Comparison& comparison);
std::string to_json(const Comparison& comparison);
std::string to_csv(const Comparison& comparison);
std::string to_markdown(const Comparison& comparison);

}  // namespace noisymix
