// noisymix analyse: why a method works, in numbers and curves.
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "engine/io/atomic_file.h"
#include "tools/analysis/local_geometry.h"
#include "tools/analysis/second_order.h"
#include "tools/checkpoint.h"
#include "tools/cli.h"
#include "tools/progress.h"
#include "tools/test_set.h"

namespace noisymix {
namespace {

namespace fs = std::filesystem;

struct Options {
  fs::path out;
  SecondOrderOptions second_order;
  std::vector<std::string> runs;
  GeometryOptions geometry;
  TestSetOptions test_set;
  MachineOptions machine;
};

/// Before the work, so that a folder that cannot be made costs no time.
void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  NM_CHECK_AS(DataError, !error && fs::is_directory(folder), folder.string(),
              ": cannot make this folder: ", error ? error.message() : "there is a file of this name");
}

/// FOLDER/NAME.json, .csv and .svg.
void write_results(const fs::path& folder, const std::string& name, const std::string& json,
                   const std::string& csv, const std::string& svg) {
  for (const auto& [extension, content] : {std::pair{".json", &json}, {".csv", &csv}, {".svg", &svg}}) {
    write_file_atomically(folder / (name + extension), *content);
    std::cout << (folder / (name + extension)).string() << "\n";
  }
}

int analyse_second_order(const Options& options) {
  apply_machine_options(options.machine);
  make_folder(options.out);
  const SecondOrderOptions& wanted = options.second_order;
  const bool show = is_terminal(STDERR_FILENO);
  const auto progress = [&](const SecondOrderEpoch& epoch) {
    if (!show) return;
    char line[96];
    std::snprintf(line, sizeof line, "\repoch %d / %d  training points: exact %.4f, expansion %.4f  ",
                  epoch.epoch, wanted.epochs, epoch.train.exact.value, epoch.train.expansion.sum());
    std::cerr << line << (epoch.epoch == wanted.epochs ? "\r\x1b[K" : "") << std::flush;
  };
  const std::vector<SecondOrderEpoch> epochs = second_order_check(wanted, progress);
  write_results(options.out, "second-order", second_order_json(wanted, epochs), second_order_csv(epochs),
                second_order_svg(epochs));
  const SecondOrderGap gap = second_order_gap(epochs);
  char line[160];
  std::snprintf(line, sizeof line, "|exact - expansion|: mean %.4f (%.1f %% of the loss), largest %.4f\n",
                gap.mean, 100 * gap.mean_relative, gap.largest);
  std::cout << line;
  return kExitSuccess;
}

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
  result.run = fs::path(path).lexically_normal().string();
  if (result.run.size() > 1 && result.run.ends_with('/')) result.run.pop_back();
  result.title =
      run.config && !run.config->title.empty() ? run.config->title : fs::path(result.run).filename().string();
  return result;
}

int analyse_geometry(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  make_folder(options.out);
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

void add_second_order(CLI::App& verb, const std::shared_ptr<Options>& options, Action& action) {
  SecondOrderOptions& wanted = options->second_order;
  CLI::App* check = verb.add_subcommand(
      "second-order", "NFM's loss against its second-order expansion, epoch by epoch, on concentric circles");
  check->add_option("--out", options->out, "folder for second-order.json, .csv and .svg")
      ->required()
      ->type_name("FOLDER");
  check->add_option("--epochs", wanted.epochs, "epochs of training")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  check->add_option("--alpha", wanted.law.alpha, "lambda ~ Beta(alpha, alpha); 0 mixes nothing")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check->add_option("--add", wanted.law.add, "additive noise level")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check->add_option("--mult", wanted.law.mult, "multiplicative noise level")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check
      ->add_option("--noise-scale", wanted.law.scale,
                   "levels times a Beta(2,5) draw (beta25) or as they are (fixed)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, NoiseScale>{{"beta25", NoiseScale::beta25}, {"fixed", NoiseScale::fixed}}))
      ->type_name("beta25|fixed");
  check->add_option("--activation", wanted.activation, "of the hidden layer; R3 is 0 for relu")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ActivationKind>{
          {"relu", ActivationKind::relu}, {"gelu", ActivationKind::gelu}}))
      ->type_name("relu|gelu");
  check->add_option("--draws", wanted.draws, "draws of lambda and noise for each pair of points")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  check->add_option("--seed", wanted.seed, "of data, weights, training and sampling")->capture_default_str();
  add_machine_options(*check, options->machine);
  check->footer(examples(
      {"analyse second-order --out second-order", "analyse second-order --add 0 --mult 0 --out mixup"}));
  check->callback([options, &action] { action = [options] { return analyse_second_order(*options); }; });
}

void add_geometry(CLI::App& verb, const std::shared_ptr<Options>& options, Action& action) {
  GeometryOptions& wanted = options->geometry;
  options->test_set.limit = 1000;
  CLI::App* geometry = verb.add_subcommand(
      "geometry", "Loss, accuracy, gradient and curvature around the test images of runs");
  geometry->add_option("runs", options->runs, "run folders, or .safetensors files written by runs")
      ->required()
      ->type_name("RUN|MODEL...");
  geometry->add_option("--out", options->out, "folder for geometry.json, .csv and .svg")
      ->required()
      ->type_name("FOLDER");
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

}  // namespace

void add_analyse(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      program.add_subcommand("analyse", "Check the theory: regularisers of NFM, local geometry of the loss");
  verb->require_subcommand(1);
  add_second_order(*verb, options, action);
  add_geometry(*verb, options, action);
}

}  // namespace noisymix
