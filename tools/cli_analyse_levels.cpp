// noisymix analyse levels: accuracy over the strength of noise and attacks.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "tools/analysis/perturbation_levels.h"
#include "tools/cli_analyse.h"
#include "tools/evaluation/evaluate.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/test_set.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  RunChoice runs;
  std::vector<std::string> kinds;
  std::vector<double> levels;
  TestSetOptions test_set;
  EvaluateOptions evaluate;
  MachineOptions machine;
};

/// Evaluates what the runs' files do not hold yet; nothing when stopped on the way.
std::vector<EvaluationResults> evaluated(const std::vector<GroupedRun>& chosen, const Dataset& data,
                                         const EvaluateOptions& options, Device device) {
  const StopSignals signals;
  WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "passes");
  std::vector<EvaluatedRun> runs;
  for (const GroupedRun& run : chosen)
    runs.push_back(open_evaluated_run(run.path, device, data, options,
                                      [&](const std::string& text) { display.line(text); }));
  EvaluationObserver observer;
  observer.progress = [&](const EvaluationProgress& at) { display.show(at.place, at.done, at.total); };
  observer.should_stop = [] { return StopSignals::requested(); };
  if (!evaluate_runs(runs, data, make_variants(options, data), options, observer)) return {};
  std::vector<EvaluationResults> results;
  for (EvaluatedRun& run : runs) results.push_back(std::move(run.results));
  return results;
}

int analyse_levels(Options& options) {
  const Device device = apply_machine_options(options.machine);
  const std::vector<GroupedRun> chosen = chosen_runs(options.runs);
  std::vector<std::string> paths, groups;
  for (const GroupedRun& run : chosen) {
    paths.push_back(run.path);
    groups.push_back(run.group);
  }
  const auto data = open_common_test_set(paths, options.test_set);
  const auto shape = data->sample_shape();
  if (options.kinds.empty())
    options.kinds = shape.size() == 3 ? std::vector<std::string>{"white", "salt-pepper"}
                                      : std::vector<std::string>{"white"};
  const std::vector<LevelKind> kinds = level_kinds_named(options.kinds, options.levels);
  for (const LevelKind& kind : kinds)
    NM_CHECK_AS(ConfigError, shape.size() == 3 || kind.type == "white_noise", kind.name, " needs images, ",
                data->description(), " holds points; use --noise white");
  request_levels(kinds, options.evaluate);
  options.evaluate.parameters = parameters_for(shape.size() == 3 ? static_cast<int>(shape[0]) : 0);
  make_output_folder(options.out);
  auto results = evaluated(chosen, *data, options.evaluate, device);
  if (results.empty()) {
    std::cerr << "stopped; the same command continues with what is missing\n";
    return kExitInterrupted;
  }
  const auto curves = level_curves(std::move(results), groups, kinds);
  write_results(options.out, "levels", levels_json(curves, options.evaluate), levels_csv(curves),
                levels_svg(curves));
  for (const LevelCurves& kind : curves) {
    for (const LevelCurve& curve : kind.groups) {
      const LevelPoint &first = curve.points.front(), &last = curve.points.back();
      char line[120];
      std::snprintf(line, sizeof line, ": %.2f %% at %.4g, %.2f %% at %.4g (%d runs)\n",
                    100 * first.accuracy.mean, first.level, 100 * last.accuracy.mean, last.level,
                    last.accuracy.runs);
      std::cout << kind.kind.name << ", " << curve.title << line;
    }
  }
  return kExitSuccess;
}

}  // namespace

void add_analyse_levels(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  EvaluateOptions& evaluation = options->evaluate;
  CLI::App* levels = verb.add_subcommand(
      "levels",
      "Test accuracy over levels of noise or attacks, averaged over seeds; cached in evaluation.json");
  add_grouped_runs(*levels, options->runs, "RUN|MODEL...");
  add_out_option(*levels, options->out, "levels.json, .csv and .svg");
  levels
      ->add_option(
          "--noise", options->kinds,
          "white, salt-pepper, pgd, pgd-l2; separated by commas, a panel each; by default the first two")
      ->delimiter(',')
      ->type_name("KINDS");
  levels
      ->add_option("--levels", options->levels,
                   "other levels, separated by commas: deviations, shares of pixels, or radii in unit range")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LIST");
  levels
      ->add_option("--channels", evaluation.channels, "channels of salt & pepper: red (as published) or all")
      ->transform(CLI::CheckedTransformer(std::map<std::string, SaltPepperChannels>{
          {"red", SaltPepperChannels::red}, {"all", SaltPepperChannels::all}}))
      ->type_name("red|all");
  levels->add_option("--pgd-iterations", evaluation.attacks.iterations, "steps of PGD")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  levels->add_option("--attack-limit", evaluation.attack_limit, "attack the first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  levels->add_option("--limit", options->test_set.limit, "first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber);
  levels->add_option("--batch", evaluation.batch, "examples at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  levels->add_option("--data", options->test_set.path, "folder of the test set's files")->type_name("PATH");
  levels->add_option("--dataset", options->test_set.dataset, "another data set (noisymix data list)")
      ->type_name("NAME");
  levels->add_option("--seed", evaluation.seed, "of everything drawn")->capture_default_str();
  add_machine_options(*levels, options->machine);
  levels->footer(examples({"analyse levels runs/baseline-* runs/nfm-* --out levels",
                           "analyse levels runs/a runs/b --noise white,pgd --limit 1000 --out levels",
                           "analyse levels --group NFM=runs/a,runs/b runs/baseline --out levels"}));
  levels->callback([options, &action] { action = [options] { return analyse_levels(*options); }; });
}

}  // namespace noisymix
