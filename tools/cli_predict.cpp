// noisymix predict: classes of single pictures.
#include <cstdio>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "data/image_codec.h"
#include "engine/error.h"
#include "tools/cli.h"
#include "tools/predict.h"

namespace noisymix {
namespace {

struct Options {
  std::string model;
  std::vector<std::string> images;
  std::size_t top = 5;
  MachineOptions machine;
};

void print(const std::string& path, const std::vector<ClassProbability>& classes) {
  std::cout << path << "\n";
  for (const ClassProbability& entry : classes) {
    char share[16];
    std::snprintf(share, sizeof share, "%7.2f %%", 100 * entry.probability);
    std::cout << "  " << share << "  " << entry.name << "\n";
  }
}

// A picture that cannot be read does not keep the others from their answer, but the exit code tells.
int predict(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  LoadedRun run = load_run(options.model);
  run.model->to(device);
  int code = kExitSuccess;
  for (const std::string& path : options.images) {
    try {
      print(path, predict_image(run, read_image(path), options.top));
    } catch (const DataError& error) {
      std::cout.flush();
      std::cerr << "noisymix: " << error.what() << std::endl;
      code = kExitFailure;
    }
  }
  return code;
}

}  // namespace

void add_predict(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand("predict", "Most probable classes of PNG and JPEG pictures");
  verb->add_option("model", options->model, "run folder, or a .safetensors file written by a run")
      ->required()
      ->type_name("RUN|MODEL");
  verb->add_option("images", options->images, "pictures; resized to what the model expects")
      ->required()
      ->type_name("IMAGE...");
  verb->add_option("--top", options->top, "classes to show")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_machine_options(*verb, options->machine);
  verb->footer(examples({"predict runs/cifar10-noisymix cat.jpg dog.png"}));
  verb->callback([options, &action] { action = [options] { return predict(*options); }; });
}

}  // namespace noisymix
