// noisymix analyse errors: training and test error over the epochs.
#include <cstdio>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/analysis/error_curves.h"
#include "tools/cli_analyse.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  RunChoice runs;
};

int analyse_errors(const Options& options) {
  const std::vector<GroupedRun> runs = chosen_runs(options.runs);
  make_output_folder(options.out);
  const std::vector<ErrorCurve> curves = error_curves(runs);
  write_results(options.out, "errors", error_curves_json(curves), error_curves_csv(curves),
                error_curves_svg(curves));
  for (const ErrorCurve& curve : curves) {
    const ErrorPoint& last = curve.points.back();
    char line[120];
    std::snprintf(line, sizeof line, ": %d runs, epoch %d, training error %.2f %%", last.train.runs,
                  last.epoch, 100 * last.train.mean);
    std::cout << curve.title << line;
    if (last.test) {
      std::snprintf(line, sizeof line, ", test error %.2f %% (sample deviation %.2f)", 100 * last.test->mean,
                    100 * last.test->deviation);
      std::cout << line;
    }
    std::cout << "\n";
  }
  return kExitSuccess;
}

}  // namespace

void add_analyse_errors(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* errors =
      verb.add_subcommand("errors", "Training and test error over the epochs, averaged over seeds");
  add_grouped_runs(*errors, options->runs, "RUN...");
  add_out_option(*errors, options->out, "errors.json, .csv and .svg");
  errors->footer(
      examples({"analyse errors runs/baseline-1 runs/baseline-2 runs/nfm-1 runs/nfm-2 --out errors",
                "analyse errors --group NFM=runs/a,runs/b runs/baseline --out errors"}));
  errors->callback([options, &action] { action = [options] { return analyse_errors(*options); }; });
}

}  // namespace noisymix
