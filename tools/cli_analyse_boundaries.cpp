// noisymix analyse boundaries: every scheme of a toy problem side by side.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/analysis/toy_boundaries.h"
#include "tools/cli_analyse.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  ToyBoundaryOptions study;
  MachineOptions machine;
};

int analyse_boundaries(Options& options) {
  ToyBoundaryOptions& study = options.study;
  study.device = apply_machine_options(options.machine);
  study.should_stop = StopSignals::requested;
  make_output_folder(options.out);
  std::vector<ToyBoundary> schemes;
  {
    const StopSignals signals;
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "trainings");
    schemes = toy_boundaries(
        study, [&](const std::string& title, int done, int total) { display.show(title, done, total); });
    if (StopSignals::requested()) {
      std::cerr << "stopped; nothing was written\n";
      return kExitInterrupted;
    }
  }
  const std::string name =
      study.set == ToySet::circles ? std::string("boundaries-circles") : std::string("boundaries-polygon");
  write_results(options.out, name, toy_boundaries_json(study, schemes), toy_boundaries_csv(schemes),
                toy_boundaries_svg(study, schemes));
  for (const ToyBoundary& scheme : schemes) {
    char line[64];
    std::snprintf(line, sizeof line, ": test accuracy %.2f %%", 100 * scheme.accuracy.mean);
    std::cout << scheme.panel.title << line;
    if (scheme.accuracy.runs > 1) {
      std::snprintf(line, sizeof line, ", sample deviation %.2f (%d seeds)", 100 * scheme.accuracy.deviation,
                    scheme.accuracy.runs);
      std::cout << line;
    }
    std::cout << "\n";
  }
  return kExitSuccess;
}

}  // namespace

void add_analyse_boundaries(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  ToyBoundaryOptions& study = options->study;
  CLI::App* boundaries = verb.add_subcommand(
      "boundaries", "Decision boundaries of every training scheme on a toy set, trained on the spot");
  boundaries->add_option("--toy", study.set, "circles (NFM's eight schemes) or polygon (NoisyMix's six)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, ToySet>{{"circles", ToySet::circles}, {"polygon", ToySet::polygon}}))
      ->required()
      ->type_name("circles|polygon");
  add_out_option(*boundaries, options->out, "boundaries-circles.json, .csv and .svg (or -polygon)");
  boundaries
      ->add_option("--seeds", study.seeds, "trainings of each scheme; the one of median accuracy is drawn")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  boundaries->add_option("--set", study.overrides, "override a setting of every scheme, may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  add_machine_options(*boundaries, options->machine);
  boundaries->footer(examples({"analyse boundaries --toy circles --out boundaries",
                               "analyse boundaries --toy polygon --seeds 5 --out boundaries",
                               "analyse boundaries --toy circles --set train.epochs=300 --out longer"}));
  boundaries->callback([options, &action] { action = [options] { return analyse_boundaries(*options); }; });
}

}  // namespace noisymix
