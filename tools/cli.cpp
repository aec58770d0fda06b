#include "tools/cli.h"

#include <algorithm>
#include <exception>
#include <iostream>
#include <new>

#include <CLI/CLI.hpp>

#include "engine/cpu/parallel.h"
#include "engine/device.h"
#include "engine/error.h"
#include "engine/nearest_name.h"

namespace noisymix {
namespace {

// Every line of the message gets the program's name, so that mixed output stays readable.
int report(const std::string& message, int code) {
  std::cout.flush();
  std::size_t start = 0;
  while (start <= message.size()) {
    const std::size_t end = std::min(message.find('\n', start), message.size());
    if (end > start || start == 0) std::cerr << "noisymix: " << message.substr(start, end - start) << '\n';
    start = end + 1;
  }
  std::cerr.flush();
  return code;
}

// CLI11 takes a misspelled verb for a missing one.
void check_verb(const CLI::App& program, const std::string& verb) {
  std::vector<std::string> names;
  for (const CLI::App* known : program.get_subcommands({})) names.push_back(known->get_name());
  if (verb.starts_with("-") || std::find(names.begin(), names.end(), verb) != names.end()) return;
  const std::string near = nearest_name(verb.substr(0, 40), names);
  throw CLI::ParseError(
      "unknown verb '" + verb.substr(0, 40) + "'" + (near.empty() ? "" : ", did you mean " + near + "?"),
      kExitUsage);
}

// Parses and returns kExitSuccess with `action` set, or the code to leave with.
int parse(CLI::App& program, int argc, const char* const* argv) {
  try {
    check_verb(program, argv[1]);
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return report(std::string(error.what()) + " (see noisymix --help)", kExitUsage);
  }
  return kExitSuccess;
}

int run(const Action& action) {
  try {
    const int code = action();
    std::cout.flush();
    NM_CHECK_AS(DataError, std::cout.good(), "cannot write to standard output");
    return code;
  } catch (const ConfigError& error) {
    return report(error.what(), kExitUsage);
  } catch (const std::bad_alloc&) {
    return report("out of memory; smaller values of train.batch or train.eval_batch need less", kExitFailure);
  } catch (const std::exception& error) {
    return report(error.what(), kExitFailure);
  }
}

}  // namespace

void add_machine_options(CLI::App& verb, MachineOptions& options) {
  verb.add_option("--device", options.device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  verb.add_option("--threads", options.threads, "threads for computing; 0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str()
      ->type_name("N");
}

Device apply_machine_options(const MachineOptions& options) {
  if (options.threads > 0) cpu::set_threads(options.threads);
  return parse_device(options.device);
}

std::string examples(const std::vector<std::string>& lines) {
  std::string text = "\nExamples:\n";
  for (const std::string& line : lines) text += "  noisymix " + line + "\n";
  return text;
}

int run_command_line(int argc, const char* const* argv) {
  CLI::App program{
      "noisymix: trains and tests image classifiers that withstand noise and corruption.\n"
      "Every verb has its own --help.",
      "noisymix"};
  program.set_version_flag("--version", std::string("noisymix ") + NOISYMIX_VERSION);
  program.require_subcommand(1);
  program.footer(examples({"train demo", "evaluate runs/demo", "config explain mix"}));
  Action action;
  for (auto* add :
       {add_train, add_sweep, add_evaluate, add_compare, add_report, add_corrupt, add_analyse, add_predict,
        add_plot, add_data, add_config, add_models, add_import, add_bench, add_doctor}) {
    add(program, action);
  }
  if (argc <= 1) {
    std::cout << program.help();
    return kExitUsage;
  }
  const int code = parse(program, argc, argv);
  if (code != kExitSuccess || !action) return code;
  return run(action);
}

}  // namespace noisymix
