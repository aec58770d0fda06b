// noisymix report: one HTML file about trained and evaluated runs.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "augment/corruptions/corruption.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/cli.h"
#include "tools/report/model_figures.h"
#include "tools/report/report.h"

namespace noisymix {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::filesystem::path out;
  MachineOptions machine;
};

report::CorruptionMaker corruptions_of(const std::string& parameter_set) {
  return [set = parameter_set_named(parameter_set)](const std::string& type, int severity) {
    return make_corruption(corruption_named(type), severity, set);
  };
}

int write_report(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  std::vector<report::ReportRun> runs;
  for (const std::string& path : options.runs) {
    runs.push_back(report::read_report_run(path));
    try {
      report::add_model_figures(runs.back(), path, device, corruptions_of);
    } catch (const DataError& error) {  // the numbers can be shown without the weights
      std::cerr << "noisymix: " << error.what() << "; figures that need the model are left out" << std::endl;
    }
  }
  report::label_runs(runs);
  write_file_atomically(options.out, report::make_report(runs));
  std::cout << options.out.string() << "\n";
  return kExitSuccess;
}

}  // namespace

void add_report(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      program.add_subcommand("report", "One HTML file with all figures of trained and evaluated runs");
  verb->add_option("runs", options->runs,
                   "run folders, or weight files with an evaluation; the first one is the baseline")
      ->required()
      ->type_name("RUN...");
  verb->add_option("--out", options->out, "HTML file to write")->required()->type_name("FILE");
  add_machine_options(*verb, options->machine);
  verb->footer(examples({"report runs/demo --out report.html",
                         "report runs/cifar10-baseline runs/cifar10-noisymix --out report.html"}));
  verb->callback([options, &action] { action = [options] { return write_report(*options); }; });
}

}  // namespace noisymix
