// The command line: one function per verb, each in its own file (cli_train.cpp, ...).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/device.h"

namespace CLI {
class App;
}

namespace noisymix {

/// Exit codes of the program.
enum ExitCode : int {
  kExitSuccess = 0,
  kExitFailure = 1,        ///< data, device or training failed
  kExitUsage = 2,          ///< wrong command line or configuration
  kExitInterrupted = 130,  ///< stopped by a signal, resumable
};

/// What the chosen verb does once the whole command line is read; returns the exit code.
using Action = std::function<int()>;

/// Adds the verb to the program; parsing it sets `action`.
void add_train(CLI::App& program, Action& action);
void add_evaluate(CLI::App& program, Action& action);
void add_corrupt(CLI::App& program, Action& action);
void add_import(CLI::App& program, Action& action);
void add_predict(CLI::App& program, Action& action);
void add_models(CLI::App& program, Action& action);
void add_config(CLI::App& program, Action& action);
void add_data(CLI::App& program, Action& action);
void add_bench(CLI::App& program, Action& action);
void add_plot(CLI::App& program, Action& action);
void add_analyse(CLI::App& program, Action& action);
void add_doctor(CLI::App& program, Action& action);
void add_compare(CLI::App& program, Action& action);
void add_report(CLI::App& program, Action& action);
void add_sweep(CLI::App& program, Action& action);

/// --device and --threads, which several verbs share.
struct MachineOptions {
  std::string device = "auto";
  int threads = 0;
};
void add_machine_options(CLI::App& verb, MachineOptions& options);
/// Sets the number of threads and returns the device.
Device apply_machine_options(const MachineOptions& options);

/// Text as a footer of --help: one example a line.
std::string examples(const std::vector<std::string>& lines);

/// The whole program: parses, runs, turns every exception into one message on stderr and an exit code.
int run_command_line(int argc, const char* const* argv);

}  // namespace noisymix
