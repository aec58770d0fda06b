// noisymix analyse features: images that excite single units in front of the head.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "data/image_codec.h"
#include "tools/analysis/feature_images.h"
#include "tools/cli_analyse.h"
#include "tools/progress.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  std::vector<std::string> runs;
  FeatureImageOptions features;
  MachineOptions machine;
};

int analyse_features(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  make_output_folder(options.out);
  std::vector<FeatureImages> results;
  {
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "steps");
    for (const std::string& path : options.runs) {
      LoadedRun run = load_run(path);
      run.model->to(device);
      results.push_back(feature_images(
          run, options.features, [&](int done, int total) { display.show(shown_path(path), done, total); }));
      results.back().run = shown_path(path);
      results.back().title = shown_title(run.config ? run.config->title : "", path);
    }
  }
  write_result(options.out, "features.json", feature_images_json(options.features, results));
  write_result(options.out, "features.csv", feature_images_csv(results));
  write_png(options.out / "features.png", feature_grid(results));
  std::cout << (options.out / "features.png").string() << "\n";
  for (const FeatureImages& run : results) {
    double start = 0, finish = 0;
    for (const FeatureImage& unit : run.units) {
      start += unit.start / static_cast<double>(run.units.size());
      finish += unit.finish / static_cast<double>(run.units.size());
    }
    char line[120];
    std::snprintf(line, sizeof line, ": mean activation %.3g -> %.3g (%zu of %lld units)\n", start, finish,
                  run.units.size(), static_cast<long long>(run.features));
    std::cout << run.title << line;
  }
  return kExitSuccess;
}

}  // namespace

void add_analyse_features(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  FeatureImageOptions& wanted = options->features;
  CLI::App* features = verb.add_subcommand(
      "features", "Images that excite random units in front of the head, by gradient ascent; a row per run");
  features->add_option("runs", options->runs, "run folders, or .safetensors files written by runs")
      ->required()
      ->type_name("RUN|MODEL...");
  add_out_option(*features, options->out, "features.json, .csv and .png");
  features->add_option("--units", wanted.units, "random units: columns of the picture")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  features->add_option("--steps", wanted.steps, "of gradient ascent")
      ->check(CLI::Range(0, 1000000))
      ->capture_default_str();
  features->add_option("--step", wanted.step, "length of a step (L2 over the image)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  features->add_option("--radius", wanted.radius, "of the ball around the start image (L2)")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  features
      ->add_option("--scale", wanted.scale, "step and radius in pixels of 0..1 (unit) or of 0..255 (byte)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, PixelScale>{{"unit", PixelScale::unit}, {"byte", PixelScale::byte}}))
      ->type_name("unit|byte");
  features->add_option("--batch", wanted.batch, "images at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  features->add_option("--seed", wanted.seed, "of the units and the start images")->capture_default_str();
  add_machine_options(*features, options->machine);
  features->footer(examples({"analyse features runs/baseline runs/manifold-mixup runs/nfm --out features",
                             "analyse features runs/a --units 4 --scale byte --out features"}));
  features->callback([options, &action] { action = [options] { return analyse_features(*options); }; });
}

}  // namespace noisymix
