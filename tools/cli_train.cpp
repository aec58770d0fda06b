// noisymix train: one training run.
#include <cstdio>
#include <iostream>
#include <memory>
#include <optional>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/config.h"
#include "tools/progress.h"
#include "tools/ready_configs.h"
#include "tools/stop_signals.h"
#include "tools/trainer.h"
#include "tools/training_setup.h"
#include "tools/work_progress.h"

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

/// Decodes what data.cache lacks, which may take hours, before the run begins. False when stopped.
bool fill_caches(const Config& config) {
  const DataConfig& data = config.data;
  if (data.cache.empty()) return true;
  const bool terminal = is_terminal(STDERR_FILENO);
  for (const bool train_split : {true, false}) {
    std::optional<WorkProgress> display;  // only where there is something to decode
    FillObserver observer;
    observer.progress = [&](std::int64_t done, std::int64_t total) {
      if (!display) display.emplace(std::cerr, terminal, terminal_width(STDERR_FILENO), "pictures");
      display->show("decoding into " + data.cache, static_cast<double>(done), static_cast<double>(total));
    };
    observer.should_stop = StopSignals::requested;
    try {
      open_split(config, train_split, observer);
    } catch (const DataError&) {
      if (!StopSignals::requested()) throw;
      return false;
    }
  }
  return true;
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
  if (!fill_caches(config)) {
    std::cout << "stopped while decoding into " << config.data.cache << "; the same command continues\n";
    return kExitInterrupted;
  }
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
