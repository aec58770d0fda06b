// noisymix evaluate: a trained model on its test set, clean and perturbed.
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "tools/checkpoint.h"
#include "tools/cli.h"
#include "tools/evaluation/evaluate.h"
#include "tools/progress.h"

namespace noisymix {
namespace {

struct Options {
  std::vector<std::string> models;
  std::string dataset, path;
  std::int64_t limit = 0;
  bool json = false;
  EvaluateOptions evaluate;
  MachineOptions machine;
};

// The test split of the run's data set, or of the one named on the command line.
DatasetOptions test_split(const LoadedRun& run, const Options& options) {
  DatasetOptions data;
  data.train = false;
  data.name = run.card.data;
  if (run.config) {
    data.name = run.config->data.name;
    data.path = run.config->data.path;
    data.seed = run.config->data.seed;
    data.limit = run.config->data.test_limit;
    data.image_size = run.config->data.image_size;
  }
  if (!options.dataset.empty()) data.name = options.dataset;
  if (!options.path.empty()) data.path = options.path;
  if (options.limit > 0) data.limit = options.limit;
  if (data.image_size == 0 && run.card.sample_shape.size() == 3) {
    data.image_size = static_cast<int>(run.card.sample_shape[0]);
  }
  return data;
}

void check_fit(const LoadedRun& run, const Dataset& data) {
  NM_CHECK_AS(ConfigError, data.sample_shape() == run.card.sample_shape, "the model expects samples of ",
              Shape(run.card.sample_shape), ", the data set has ", Shape(data.sample_shape()));
  NM_CHECK_AS(ConfigError, data.classes() == run.card.classes(), "the model knows ", run.card.classes(),
              " classes, the data set has ", data.classes());
}

NamedReport evaluate_one(const std::string& path, const Options& options, Device device) {
  const LoadedRun run = load_run(path);
  run.model->to(device);
  const std::shared_ptr<const Dataset> data = open_dataset(test_split(run, options));
  check_fit(run, *data);
  const bool show = is_terminal(STDERR_FILENO);
  const auto progress = [show, &path](std::int64_t done, std::int64_t total) {
    if (show)
      std::cerr << "\r" << path << "  " << done << " / " << total << (done == total ? "\r\x1b[K" : "")
                << std::flush;
  };
  return {std::filesystem::path(path).lexically_normal().string(),
          evaluate_model(*run.model, data, run.normalization, options.evaluate, progress)};
}

int evaluate(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  std::vector<NamedReport> reports;
  for (const std::string& path : options.models) {
    reports.push_back(evaluate_one(path, options, device));
    NM_CHECK_AS(ConfigError, reports.back().report.data == reports.front().report.data, path,
                " was tested on '", reports.back().report.data, "', ", options.models.front(), " on '",
                reports.front().report.data,
                "': models are compared on one test set; choose it with --dataset and --data");
  }
  if (reports.size() == 1) {
    std::cout << (options.json ? to_json(reports[0].report) + "\n"
                               : reports[0].name + " on " + to_text(reports[0].report));
  } else {
    std::cout << (options.json ? comparison_json(reports) + "\n" : comparison_text(reports));
  }
  return kExitSuccess;
}

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  EvaluateOptions& evaluation = options->evaluate;
  CLI::App* verb =
      program.add_subcommand("evaluate", "Accuracy, loss and calibration on clean and perturbed test data");
  verb->add_option("model", options->models,
                   "run folders, or .safetensors files written by runs; several are compared")
      ->required()
      ->type_name("RUN|MODEL...");
  verb->add_option("--data", options->path, "folder of the test set's files")->type_name("PATH");
  verb->add_option("--dataset", options->dataset, "another data set (noisymix data list)")->type_name("NAME");
  verb->add_option("--limit", options->limit, "first examples only; 0 is all")->check(CLI::NonNegativeNumber);
  verb->add_option("--batch", evaluation.batch, "examples at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  verb->add_option("--white-noise", evaluation.white_noise,
                   "deviations in normalised units, separated by commas")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LEVELS");
  verb->add_option("--salt-pepper", evaluation.salt_pepper, "shares of the pixels, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("LEVELS");
  verb->add_option("--channels", evaluation.channels, "channels of salt & pepper: red (as published) or all")
      ->transform(CLI::CheckedTransformer(std::map<std::string, SaltPepperChannels>{
          {"red", SaltPepperChannels::red}, {"all", SaltPepperChannels::all}}))
      ->type_name("red|all");
  verb->add_option("--seed", evaluation.seed, "of the perturbations")->capture_default_str();
  verb->add_flag("--json", options->json, "one JSON object instead of a table");
  add_machine_options(*verb, options->machine);
  verb->footer(examples({"evaluate runs/demo", "evaluate runs/demo-baseline runs/demo",
                         "evaluate model.safetensors --data /data/cifar10 --json",
                         "evaluate runs/a --white-noise 0.1,0.5 --channels all"}));
  verb->callback([options, &action] { action = [options] { return evaluate(*options); }; });
}

}  // namespace noisymix
