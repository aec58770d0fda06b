// noisymix plot: pictures of trained models and of training runs.
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "data/image_codec.h"
#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/cli.h"
#include "tools/plot_boundary.h"
#include "tools/plot_curves.h"

namespace noisymix {
namespace {

struct Options {
  std::vector<std::string> runs;
  std::filesystem::path out;
  BoundaryPlotOptions boundary;
  MachineOptions machine;
};

int plot_boundary(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  std::vector<BoundaryPanel> panels;
  for (const std::string& path : options.runs) {
    const LoadedRun run = load_run(path);
    run.model->to(device);
    panels.push_back(compute_boundary(run, options.boundary));
  }
  write_png(options.out, draw_boundaries(panels, options.boundary));
  std::cout << options.out.string() << "\n";
  return kExitSuccess;
}

int plot_curves(const Options& options) {
  std::vector<TrainingCurve> curves;
  for (const std::string& run : options.runs) curves.push_back(read_training_curve(run));
  write_file_atomically(options.out, draw_curves(curves));
  std::cout << options.out.string() << "\n";
  return kExitSuccess;
}

}  // namespace

void add_plot(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand("plot", "Draw decision boundaries and training curves");
  verb->require_subcommand(1);

  CLI::App* boundary =
      verb->add_subcommand("boundary", "Class-1 probability of models of points, one panel per run");
  boundary->add_option("runs", options->runs, "run folders of toy-* configurations")
      ->required()
      ->type_name("RUN...");
  boundary->add_option("--out", options->out, "PNG file to write")->required()->type_name("FILE");
  boundary->add_option("--columns", options->boundary.columns, "panels side by side; 0 chooses")
      ->check(CLI::Range(0, 100))
      ->capture_default_str();
  add_machine_options(*boundary, options->machine);
  boundary->footer(
      examples({"plot boundary runs/toy-polygon-baseline runs/toy-polygon-noisymix --out boundary.png"}));
  boundary->callback([options, &action] { action = [options] { return plot_boundary(*options); }; });

  CLI::App* curves = verb->add_subcommand("curves", "Loss and accuracy over the epochs");
  curves->add_option("runs", options->runs, "run folders")->required()->type_name("RUN...");
  curves->add_option("--out", options->out, "SVG file to write")->required()->type_name("FILE");
  curves->footer(examples({"plot curves runs/demo-baseline runs/demo --out curves.svg"}));
  curves->callback([options, &action] { action = [options] { return plot_curves(*options); }; });
}

}  // namespace noisymix
