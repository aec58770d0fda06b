// noisymix sweep: many configurations with many seeds, trained, evaluated and put into one table.
#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "tools/cli.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/sweep/ready_sweeps.h"
#include "tools/sweep/sweep_display.h"
#include "tools/sweep/sweep_run.h"
#include "tools/sweep/sweep_table.h"

namespace noisymix {
namespace {

struct Options {
  std::string file, jobs = "1";
  std::filesystem::path out;
  std::vector<std::string> overrides, only, fresh;
  bool dry_run = false, table = false, list = false;
  MachineOptions machine;
};

int list() {
  for (const ReadySweep& sweep : ready_sweeps()) {
    std::cout << sweep.name << std::string(sweep.name.size() < 28 ? 28 - sweep.name.size() : 1, ' ')
              << ready_sweep_summary(sweep) << "\n";
  }
  return kExitSuccess;
}

/// The number of jobs; 0 for "auto".
int jobs_named(const std::string& text) {
  if (text == "auto") return 0;
  int jobs = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), jobs);
  const bool good = error == std::errc() && end == text.data() + text.size() && jobs >= 1 && jobs <= 1024;
  NM_CHECK_AS(ConfigError, good, "--jobs expects auto or a number in 1 .. 1024, got '", text.substr(0, 40),
              "'");
  return jobs;
}

int dry_run(const Sweep& sweep, const std::vector<SweepRun>& runs, const SweepOptions& options) {
  RunInspector inspector(sweep.evaluation);
  std::size_t width = 0;
  for (const SweepRun& run : runs) width = std::max(width, run.name.size());
  for (const SweepRun& run : runs) {
    std::cout << run.name << std::string(width + 2 - run.name.size(), ' ') << name_of(inspector.state(run))
              << "  " << sweep.rows[run.row].label << "\n";
  }
  std::cout << runs.size() << " runs, estimated time left "
            << shown_estimate(estimate_sweep(sweep, runs, options)) << "\n";
  check_settings(sweep, runs);
  return kExitSuccess;
}

void show_table(const Sweep& sweep, const std::vector<SweepRun>& runs, const std::filesystem::path& out) {
  const SweepTable table = make_sweep_table(sweep, collect_outcomes(sweep, runs));
  write_tables(table, out);
  std::cout << "\n" << to_text(table) << "\n" << (out / "table.html").string() << " shows it in a browser\n";
}

/// Runs of the rows named by --fresh move out of the way.
void put_aside_fresh(const Sweep& sweep, const Options& options, const std::filesystem::path& out) {
  if (options.fresh.empty()) return;
  for (const SweepRun& run : plan_runs(sweep, chosen_rows(sweep, options.fresh), out)) {
    const auto old = put_aside(run);
    if (!old.empty()) std::cout << run.folder.string() << " is now " << old.string() << "\n";
  }
}

int sweep(const Options& options) {
  if (options.list) return list();
  NM_CHECK_AS(ConfigError, !options.file.empty(),
              "sweep expects a TOML file or the name of a ready sweep; --list shows those");
  SweepOptions running;
  running.jobs = jobs_named(options.jobs);
  running.threads = options.machine.threads;
  running.device = options.machine.device;
  (void)parse_device(running.device);  // a misspelled device should not fail every run
  const Sweep sweep = load_sweep(options.file, options.overrides);
  const std::filesystem::path out =
      options.out.empty() ? std::filesystem::path("sweeps") / sweep.name : options.out;
  const std::vector<SweepRun> everything = plan_runs(sweep, chosen_rows(sweep, {}), out);
  const std::vector<SweepRun> runs = plan_runs(sweep, chosen_rows(sweep, options.only), out);
  if (options.dry_run) return dry_run(sweep, runs, running);
  if (options.table) {
    show_table(sweep, everything, out);
    return kExitSuccess;
  }
  put_aside_fresh(sweep, options, out);
  SweepEnd end = SweepEnd::completed;
  {
    const StopSignals signals;
    SweepDisplay display(std::cout, is_terminal(STDOUT_FILENO), terminal_width(STDOUT_FILENO));
    running.should_stop = StopSignals::requested;
    const SweepObserver observer{[&](const std::string& text) { display.line(text); },
                                 [&](const SweepProgress& progress) { display.show(progress); }};
    end = run_sweep(sweep, runs, out, running, observer);
  }
  show_table(sweep, everything, out);
  if (end == SweepEnd::interrupted) std::cout << "stopped; the same command continues\n";
  return end == SweepEnd::completed  ? kExitSuccess
         : end == SweepEnd::failures ? kExitFailure
                                     : kExitInterrupted;
}

}  // namespace

void add_sweep(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand(
      "sweep", "Train and evaluate many configurations with many seeds; one table of mean and spread");
  verb->add_option("file", options->file, "TOML file (docs/sweeps.md), or name of a ready sweep (--list)")
      ->type_name("FILE");
  verb->add_option("--out", options->out, "folder of the sweep; sweeps/FILE when not given")
      ->type_name("DIR");
  verb->add_option("--jobs", options->jobs, "runs at a time; auto: one per GPU, without GPUs one per core")
      ->capture_default_str()
      ->type_name("N|auto");
  const auto list_option = [&](const char* name, std::vector<std::string>& values, const char* meaning,
                               const char* type) {
    verb->add_option(name, values, meaning)
        ->type_name(type)
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
  };
  list_option("--set", options->overrides, "override a setting of every row, may be repeated", "KEY=VALUE");
  list_option("--only", options->only, "this row only, may be repeated", "LABEL");
  list_option("--fresh", options->fresh, "train this row anew; its old runs move to DIR/old", "LABEL");
  verb->add_flag("--dry-run", options->dry_run, "show the runs and how far they are, start nothing");
  verb->add_flag("--table", options->table, "write the table of what is finished, start nothing");
  verb->add_flag("--list", options->list, "the ready sweeps");
  add_machine_options(*verb, options->machine);
  verb->footer(examples(
      {"sweep --list", "sweep papers/quick --out sweeps/quick --jobs auto", "sweep my-sweep.toml --dry-run",
       "sweep my-sweep.toml --only NoisyMix --set train.epochs=2", "sweep my-sweep.toml --table"}));
  verb->callback([options, &action] { action = [options] { return sweep(*options); }; });
}

}  // namespace noisymix
