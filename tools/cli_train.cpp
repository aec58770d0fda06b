// noisymix train: one training run.
#include <cstdio>
#include <iostream>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/config.h"
#include "tools/progress.h"
#include "tools/ready_configs.h"
#include "tools/stop_signals.h"
#include "tools/trainer.h"

namespace noisymix {
namespace {

struct Options {
  std::string config;
  std::filesystem::path out;
  std::vector<std::string> overrides;
  bool resume = false;
  MachineOptions machine;
};

std::string percent(double fraction) {
  char text[16];
  std::snprintf(text, sizeof text, "%.2f %%", 100 * fraction);
  return text;
}

void print_summary(const TrainSummary& summary, const std::filesystem::path& run) {
  std::cout << "\n";
  if (summary.last && summary.last->test)
    std::cout << "test accuracy " << percent(summary.last->test->accuracy);
  if (summary.best_accuracy >= 0) {
    std::cout << (summary.last && summary.last->test ? ", best " : "best test accuracy ")
              << percent(summary.best_accuracy) << " after epoch " << summary.best_epoch << "\n";
  }
  std::cout << "run folder " << run.string() << "\n";
}

int train(const Options& options) {
  const Device device = apply_machine_options(options.machine);
  const ConfigSource source = find_config(options.config);
  const Config config = source.is_file ? load_config(source.name, options.overrides)
                                       : parse_config(source.name, source.text, options.overrides);
  TrainOptions training;
  training.run = options.out.empty() ? std::filesystem::path("runs") / source.stem : options.out;
  training.resume = options.resume;
  training.should_stop = StopSignals::requested;
  training.device = device;

  ProgressOptions display;
  display.terminal = is_terminal(STDOUT_FILENO);
  display.width = terminal_width(STDOUT_FILENO);
  const auto progress = make_progress(std::cout, display);
  const StopSignals signals;
  Trainer trainer(config, training, *progress);
  const TrainSummary summary = trainer.run();
  print_summary(summary, training.run);
  if (summary.end != TrainEnd::interrupted) return kExitSuccess;
  std::cout << "stopped; the same command with --resume continues\n";
  return kExitInterrupted;
}

}  // namespace

void add_train(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand("train", "Train a model as a configuration says");
  verb->add_option("config", options->config,
                   "TOML file, or name of a ready configuration (noisymix config list)")
      ->required()
      ->type_name("CONFIG");
  verb->add_option("--out", options->out, "run folder; runs/CONFIG when not given")->type_name("DIR");
  verb->add_option("--set", options->overrides, "override a setting, may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  verb->add_flag("--resume", options->resume, "continue from the newest checkpoint in the run folder");
  add_machine_options(*verb, options->machine);
  verb->footer(
      examples({"train demo", "train cifar10-noisymix --set data.path=/data/cifar10 --out runs/a",
                "train my.toml --set train.epochs=10 --set optimizer.lr=0.05", "train my.toml --resume"}));
  verb->callback([options, &action] { action = [options] { return train(*options); }; });
}

}  // namespace noisymix
