// noisymix doctor: what this machine offers.
#include <iostream>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/doctor.h"

namespace noisymix {

void add_doctor(CLI::App& program, Action& action) {
  CLI::App* verb =
      program.add_subcommand("doctor", "Show processor, GPUs, driver and libraries, and what is missing");
  verb->callback([&action] {
    action = [] {
      std::cout << examine_machine().text;
      return kExitSuccess;
    };
  });
}

}  // namespace noisymix
