// noisymix corrupt: a data set's corrupted copies, in the layout of the published sets.
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "data/registry.h"
#include "engine/error.h"
#include "engine/nearest_name.h"
#include "tools/cli.h"
#include "tools/corrupt.h"
#include "tools/evaluation/suites.h"
#include "tools/frost_pictures.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  DatasetOptions data;
  std::string split = "test", suite, out, frost;
  std::vector<std::string> types = {"all"};
  CorruptOptions corrupt;
  int threads = 0;
};

/// "cifar-c" asks for corruptions, "cifar-p" for sequences.
void choose_suite(Options& options) {
  const std::vector<std::string> known = {"cifar-c", "tiny-imagenet-c", "imagenet-c",
                                          "cifar-p", "tiny-imagenet-p", "imagenet-p"};
  const std::string near = nearest_name(options.suite, known);
  NM_CHECK_AS(ConfigError, std::find(known.begin(), known.end(), options.suite) != known.end(),
              "unknown suite '", options.suite, "'", near.empty() ? "" : ", did you mean " + near + "?",
              " (known: cifar-c, tiny-imagenet-c, imagenet-c and the same with -p)");
  CorruptOptions& corrupt = options.corrupt;
  const bool sequences = options.suite.ends_with("-p");
  corrupt.parameters = parameter_set_named(options.suite.substr(0, options.suite.size() - 1) + "c");
  if (sequences) {
    corrupt.sequences = sequences_named(options.types);
  } else {
    corrupt.corruptions = corruptions_named(options.types);
  }
  if (!options.frost.empty()) corrupt.corruption_options.frost_pictures = read_frost_pictures(options.frost);
}

int corrupt(Options& options) {
  choose_suite(options);
  apply_machine_options({"cpu", options.threads});
  options.data.train = options.split == "train";
  const auto data = open_dataset(options.data);
  const StopSignals signals;
  bool finished = false;
  {
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "images");
    CorruptObserver observer;
    observer.progress = [&](const CorruptProgress& at) {
      display.show(at.file, static_cast<double>(at.done), static_cast<double>(at.total));
    };
    observer.should_stop = [] { return StopSignals::requested(); };
    finished = write_corrupted_set(*data, options.corrupt, options.out, observer);
  }
  if (!finished) {
    std::cerr << "stopped; finished files stay, the same command continues with the rest\n";
    return kExitInterrupted;
  }
  std::cout << options.out << ": " << options.corrupt.corruptions.size() + options.corrupt.sequences.size()
            << " types of " << data->description() << "\n";
  return kExitSuccess;
}

}  // namespace

void add_corrupt(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb =
      program.add_subcommand("corrupt", "Writes corrupted copies of a data set (CIFAR-C, ImageNet-P, ...)");
  verb->add_option("dataset", options->data.name, "data set (noisymix data list)")
      ->required()
      ->type_name("NAME");
  verb->add_option("--data", options->data.path, "folder of its files")->type_name("PATH");
  verb->add_option("--suite", options->suite,
                   "cifar-c, tiny-imagenet-c, imagenet-c: corruptions; -p: sequences")
      ->required()
      ->type_name("SUITE");
  verb->add_option("--out", options->out, "folder to write TYPE.npy and labels.npy to")
      ->required()
      ->type_name("DIR");
  verb->add_option("--types", options->types, "types separated by commas, or all, or benchmark")
      ->delimiter(',')
      ->type_name("TYPES");
  verb->add_option("--severities", options->corrupt.severities, "1 to 5, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(1, 5))
      ->type_name("LEVELS");
  verb->add_option("--difficulty", options->corrupt.difficulty, "of sequences: 1 to 3")
      ->check(CLI::Range(1, 3));
  verb->add_option("--split", options->split, "train or test")
      ->check(CLI::IsMember({"train", "test"}))
      ->capture_default_str()
      ->type_name("SPLIT");
  verb->add_option("--limit", options->data.limit, "first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--image-size", options->data.image_size, "side to resize a folder's images to");
  verb->add_option("--resize", options->data.transform.resize, "shorter side to resize to; 0 leaves the size")
      ->check(CLI::Range(0, 4096));
  verb->add_option("--crop", options->data.transform.crop, "side of the centre crop; 0 leaves the size")
      ->check(CLI::Range(0, 4096));
  verb->add_option("--seed", options->corrupt.seed, "of all draws")->capture_default_str();
  verb->add_option("--frost-dir", options->frost, "folder of frost pictures; without it, ice is drawn")
      ->type_name("DIR");
  verb->add_flag("--glass-swap", options->corrupt.corruption_options.glass_swap,
                 "glass blur exchanges pixels instead of copying them");
  verb->add_option("--threads", options->threads, "0 is one per core")->check(CLI::Range(0, 1024));
  verb->footer(examples(
      {"corrupt cifar10 --data datasets --suite cifar-c --out datasets/my-cifar-10-c",
       "corrupt shapes --suite cifar-c --types fog,snow --severities 3 --limit 100 --out /tmp/c",
       "corrupt imagenet --data datasets/imagenet --resize 256 --crop 224 --suite imagenet-c --out "
       "datasets/my-imagenet-c",
       "corrupt cifar10 --data datasets --suite cifar-p --types benchmark --out datasets/my-cifar-10-p"}));
  verb->callback([options, &action] { action = [options] { return corrupt(*options); }; });
}

}  // namespace noisymix
