// noisymix models: the networks there are.
#include <iostream>

#include <CLI/CLI.hpp>

#include "models/registry.h"
#include "tools/cli.h"

namespace noisymix {
namespace {

int print_models() {
  for (const ModelEntry& entry : list_models()) {
    std::cout << entry.name << std::string(entry.name.size() < 20 ? 20 - entry.name.size() : 1, ' ')
              << entry.description << "\n";
  }
  return kExitSuccess;
}

}  // namespace

void add_models(CLI::App& program, Action& action) {
  CLI::App* verb = program.add_subcommand("models", "List the networks that model.name may be");
  verb->callback([&action] { action = print_models; });
}

}  // namespace noisymix
