// noisymix config: what can be set, and the configurations that come with the program.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/config.h"
#include "tools/ready_configs.h"

namespace noisymix {
namespace {

struct Options {
  std::string name;
  std::vector<std::string> overrides;
  bool resolved = false;
};

int list() {
  for (const ReadyConfig& config : ready_configs()) {
    std::cout << config.name << std::string(config.name.size() < 34 ? 34 - config.name.size() : 1, ' ')
              << ready_config_summary(config) << "\n";
  }
  return kExitSuccess;
}

int show(const Options& options) {
  const ConfigSource source = find_config(options.name);
  if (!source.is_file && !options.resolved && options.overrides.empty()) {
    std::cout << source.text;
    return kExitSuccess;
  }
  std::cout << to_toml(source.is_file ? load_config(source.name, options.overrides)
                                      : parse_config(source.name, source.text, options.overrides));
  return kExitSuccess;
}

}  // namespace

void add_config(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand("config", "Explain settings, show ready configurations");
  verb->require_subcommand(1);

  CLI::App* explaining = verb->add_subcommand("explain", "Type, default, range and meaning of settings");
  explaining->add_option("key", options->name, "a key or section; all of them when not given")
      ->type_name("KEY");
  explaining->footer(examples({"config explain", "config explain mix", "config explain mix.view_scale"}));
  explaining->callback([options, &action] {
    action = [options] {
      std::cout << explain_config(options->name);
      return kExitSuccess;
    };
  });

  verb->add_subcommand("reference", "All settings as Markdown")->callback([&action] {
    action = [] {
      std::cout << config_reference_markdown();
      return kExitSuccess;
    };
  });
  verb->add_subcommand("list", "The ready configurations")->callback([&action] { action = list; });

  CLI::App* showing = verb->add_subcommand("show", "A configuration, as a start for one's own");
  showing->add_option("config", options->name, "TOML file or ready configuration")
      ->required()
      ->type_name("CONFIG");
  showing->add_flag("--resolved", options->resolved, "with every setting, defaults included");
  showing->add_option("--set", options->overrides, "override a setting, may be repeated")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->expected(1)
      ->allow_extra_args(false);
  showing->footer(examples({"config show cifar10-noisymix > my.toml"}));
  showing->callback([options, &action] { action = [options] { return show(*options); }; });
}

}  // namespace noisymix
