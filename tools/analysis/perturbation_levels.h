// Accuracy over the strength of a perturbation, averaged over seeds (NFM paper, figures 3, 4, 5, 9, 10, 11).
#pragma once

#include <string>
#include <vector>

#include "tools/analysis/grouped_runs.h"
#include "tools/evaluation/compare.h"
#include "tools/evaluation/suites.h"

namespace noisymix {

/// One kind of perturbation: a panel of the figure.
struct LevelKind {
  std::string name;   ///< on the command line: "white"
  std::string suite;  ///< of the cells that hold it, see Cell
  std::string type;
  std::string title, axis;     ///< of the panel and its horizontal axis
  std::vector<double> levels;  ///< by default, 0 first
  double shown_scale = 1;      ///< levels are shown times this: radii as 255ths
};

/// white, salt-pepper, pgd (max-norm) and pgd-l2.
const std::vector<LevelKind>& level_kinds();

/// By name, each once, with `levels` (if any) in place of their own. Throws ConfigError for an unknown name,
/// or for levels that are negative or, of salt & pepper, above 1.
std::vector<LevelKind> level_kinds_named(const std::vector<std::string>& names,
                                         const std::vector<double>& levels);

/// What has to be evaluated for these kinds, in the place of the options' own suites and levels. Level 0 is
/// the clean set.
void request_levels(const std::vector<LevelKind>& kinds, EvaluateOptions& options);

struct LevelPoint {
  double level = 0;
  SeedSpread accuracy;  ///< fraction in [0, 1]; the sample deviation over the runs
};

struct LevelCurve {
  std::string title;
  std::vector<std::string> runs;
  std::vector<LevelPoint> points;
};

/// The curves of one kind, a group of runs each.
struct LevelCurves {
  LevelKind kind;
  std::int64_t examples = 0;
  std::vector<LevelCurve> groups;
};

/// From evaluated runs, with `groups[i]` the group of run i or empty for its title. The accuracy at level 0
/// is taken over the examples that were perturbed: attacks may see only the first ones. Throws ConfigError
/// for runs that cannot be compared, DataError for a missing cell.
std::vector<LevelCurves> level_curves(std::vector<EvaluationResults> runs,
                                      const std::vector<std::string>& groups,
                                      const std::vector<LevelKind>& kinds);

std::string levels_json(const std::vector<LevelCurves>& curves, const EvaluateOptions& options);
/// A line per kind, group and level.
std::string levels_csv(const std::vector<LevelCurves>& curves);
/// A panel per kind; bands of one sample deviation.
std::string levels_svg(const std::vector<LevelCurves>& curves);

}  // namespace noisymix
