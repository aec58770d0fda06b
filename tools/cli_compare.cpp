// noisymix compare: evaluated runs side by side.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "tools/cli.h"
#include "tools/evaluation/compare.h"
#include "tools/evaluation/results.h"

namespace noisymix {
namespace {

struct Options {
  std::vector<std::string> runs;
  BootstrapOptions bootstrap;
  bool json = false, csv = false, markdown = false;
};

int compare(const Options& options) {
  std::vector<EvaluationResults> runs;
  for (const std::string& run : options.runs) {
    NM_CHECK_AS(DataError, std::filesystem::exists(results_file(run)), results_file(run).string(),
                ": missing; noisymix evaluate ", run, " writes it");
    runs.push_back(load_results(results_file(run)));
  }
  const Comparison comparison = compare_results(runs, options.bootstrap);
  std::cout << (options.json       ? to_json(comparison) + "\n"
                : options.csv      ? to_csv(comparison)
                : options.markdown ? to_markdown(comparison)
                                   : to_text(comparison));
  return kExitSuccess;
}

}  // namespace

void add_compare(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand(
      "compare", "Evaluated runs side by side, with means over seeds and intervals of differences");
  verb->add_option("runs", options->runs,
                   "evaluated run folders or weight files; runs of one title are one group")
      ->required()
      ->type_name("RUN...");
  verb->add_option("--resamples", options->bootstrap.resamples, "of the test images, for the intervals")
      ->check(CLI::Range(100, 1000000))
      ->capture_default_str()
      ->type_name("N");
  verb->add_option("--seed", options->bootstrap.seed, "of the resamples")->capture_default_str();
  CLI::Option_group* format = verb->add_option_group("format");
  format->add_flag("--json", options->json, "one JSON object");
  format->add_flag("--csv", options->csv, "a line per row and group");
  format->add_flag("--markdown", options->markdown, "a Markdown table");
  format->require_option(0, 1);
  verb->footer(
      examples({"compare runs/demo-baseline runs/demo",
                "compare runs/baseline-seed1 runs/baseline-seed2 runs/noisymix-seed1 runs/noisymix-seed2",
                "compare runs/a runs/b --markdown"}));
  verb->callback([options, &action] { action = [options] { return compare(*options); }; });
}

}  // namespace noisymix
