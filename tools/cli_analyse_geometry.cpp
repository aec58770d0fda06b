// noisymix analyse geometry: the loss around test images.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/analysis/local_geometry.h"
#include "tools/checkpoint.h"
#include "tools/cli_analyse.h"
#include "tools/progress.h"
#include "tools/test_set.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  std::vector<std::string> runs;
  GeometryOptions geometry;
  TestSetOptions test_set;
  MachineOptions machine;
};

Geometry geometry_of(const std::string& path, const Options& options, Device device) {
  const LoadedRun run = load_run(path);
  run.model->to(device);
  const bool show = is_terminal(STDERR_FILENO);
  const auto progress = [show, &path](std::int64_t done, std::int64_t total) {
    if (show)
      std::cerr << "\r" << path << "  " << done << " / " << total << (done == total ? "\r\x1b[K" : "")
                << std::flush;
  };
  Geometry result = local_geometry(*run.model, open_test_set(run, options.test_set), run.normalization,
                                   options.geometry, progress);
  result.run = shown_path(path);
  result.title = shown_title(run.config ? run.config->title : "", path);
  return result;
}

int analyse_geometry(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  make_output_folder(options.out);
  std::vector<Geometry> runs;
  for (const std::string& path : options.runs) runs.push_back(geometry_of(path, options, device));
  write_results(options.out, "geometry", geometry_json(options.geometry, runs), geometry_csv(runs),
                geometry_svg(runs));
  for (const Geometry& run : runs) {
    char line[160];
    std::snprintf(line, sizeof line, ": accuracy %.2f %%, |gradient| %.4g, curvature %.4g (%lld examples)\n",
                  100 * run.accuracy, run.gradient_norm, run.curvature, static_cast<long long>(run.examples));
    std::cout << run.run << line;
  }
  return kExitSuccess;
}

}  // namespace

void add_analyse_geometry(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  GeometryOptions& wanted = options->geometry;
  options->test_set.limit = 1000;
  CLI::App* geometry = verb.add_subcommand(
      "geometry", "Loss, accuracy, gradient and curvature around the test images of runs");
  geometry->add_option("runs", options->runs, "run folders, or .safetensors files written by runs")
      ->required()
      ->type_name("RUN|MODEL...");
  add_out_option(*geometry, options->out, "geometry.json, .csv and .svg");
  geometry
      ->add_option("--radii", wanted.radii,
                   "L2 radii in the unit range, separated by commas; 16 from 0.01 to 10")
      ->delimiter(',')
      ->check(CLI::PositiveNumber)
      ->type_name("LIST");
  geometry->add_option("--limit", options->test_set.limit, "first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  geometry
      ->add_option("--curvature", wanted.curvature,
                   "Tr(H^T H) by hutchinson's estimate, or the published code's number")
      ->transform(CLI::CheckedTransformer(std::map<std::string, CurvatureForm>{
          {"hutchinson", CurvatureForm::hutchinson}, {"code", CurvatureForm::code}}))
      ->type_name("hutchinson|code");
  geometry->add_option("--samples", wanted.samples, "directions for the curvature")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  geometry->add_option("--eta", wanted.eta, "step for the curvature; 0 is 0.01, for code 1e-6")
      ->check(CLI::NonNegativeNumber);
  geometry->add_option("--batch", wanted.batch, "examples at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  geometry->add_option("--data", options->test_set.path, "folder of the test set's files")->type_name("PATH");
  geometry->add_option("--dataset", options->test_set.dataset, "another data set (noisymix data list)")
      ->type_name("NAME");
  geometry->add_option("--seed", wanted.seed, "of the directions")->capture_default_str();
  add_machine_options(*geometry, options->machine);
  geometry->footer(examples({"analyse geometry runs/demo-baseline runs/demo --out geometry",
                             "analyse geometry runs/a --limit 0 --radii 0.1,1,5 --out geometry"}));
  geometry->callback([options, &action] { action = [options] { return analyse_geometry(*options); }; });
}

}  // namespace noisymix
