// noisymix import: weights trained elsewhere.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/import_weights.h"

namespace noisymix {
namespace {

int import_file(const ImportOptions& options) {
  const ModelCard card = import_weights(options);
  std::cout << options.out.string() << ": " << card.architecture << ", " << card.classes()
            << " classes, samples " << Shape(card.sample_shape) << ", normalization " << card.normalization
            << "\n";
  return kExitSuccess;
}

}  // namespace

void add_import(CLI::App& program, Action& action) {
  const auto options = std::make_shared<ImportOptions>();
  CLI::App* verb = program.add_subcommand("import", "Make a weight file from PyTorch weights in safetensors");
  verb->add_option("file", options->file, "safetensors file with PyTorch's names and shapes")
      ->required()
      ->type_name("FILE");
  verb->add_option("--model", options->model, "network (noisymix models)")->required()->type_name("NAME");
  verb->add_option("--out", options->out, "weight file to write")->required()->type_name("FILE");
  verb->add_option("--set", options->settings, "option of the network, model.KEY=VALUE; may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  verb->add_option("--classes", options->classes, "otherwise those of the last layer in the file")
      ->check(CLI::Range(1, 1000000))
      ->type_name("K");
  verb->add_option("--size", options->size, "side of the images; otherwise what the network is made for")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  verb->add_option("--channels", options->channels, "of the images: 3, or 1 for grey")
      ->check(CLI::IsMember({1, 3}))
      ->capture_default_str();
  verb->add_option("--normalization", options->normalization,
                   "half, cifar10, cifar10-per-image, cifar100, imagenet or none; otherwise imagenet for 224 "
                   "pixels, else half")
      ->type_name("NAME");
  verb->add_option("--class-names", options->class_names,
                   "text file, a name per line in the order of the outputs")
      ->type_name("FILE");
  verb->add_option("--dataset", options->data, "data set whose classes they are, for evaluate")
      ->type_name("NAME");
  verb->footer(
      examples({"import wrn.safetensors --model wrn28-4 --dataset cifar10 --out weights/wrn.safetensors",
                "evaluate weights/wrn.safetensors --data datasets"}));
  verb->callback([options, &action] { action = [options] { return import_file(*options); }; });
}

}  // namespace noisymix
