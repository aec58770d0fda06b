// noisymix data stylize: a tree of pictures in drawn styles.
#include <iostream>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/cli.h"
#include "tools/cli_data.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/stylize.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  StylizeOptions stylize;
  MachineOptions machine;
};

int stylize(Options& options) {
  options.stylize.device = apply_machine_options(options.machine);
  const std::string out = options.stylize.out.string();
  const StopSignals signals;
  StylizeResult result;
  {
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "pictures");
    options.stylize.progress = [&](std::int64_t done, std::int64_t total) {
      display.show(out, static_cast<double>(done), static_cast<double>(total));
    };
    options.stylize.should_stop = StopSignals::requested;
    result = stylize_tree(options.stylize);
  }
  std::cout << out << ": " << result.written << " pictures stylised, " << result.there << " were there\n";
  if (result.unreadable_styles > 0)
    std::cerr << result.unreadable_styles << " times another style was drawn because one could not be read\n";
  if (result.finished) return kExitSuccess;
  std::cerr << "stopped; the same command continues\n";
  return kExitInterrupted;
}

}  // namespace

void add_data_stylize(CLI::App& data, Action& action) {
  const auto options = std::make_shared<Options>();
  StylizeOptions& stylizing = options->stylize;
  CLI::App* verb =
      data.add_subcommand("stylize", "Pictures in the styles of others (AdaIN), pairing with the originals");
  verb->add_option("content", stylizing.content, "folder of pictures, at any depth")
      ->required()
      ->type_name("FOLDER");
  verb->add_option("styles", stylizing.styles, "folder of pictures whose styles are drawn, at any depth")
      ->required()
      ->type_name("STYLES");
  verb->add_option("--encoder", stylizing.encoder, "safetensors: VGG-19 to relu4_1 (docs/shards.md)")
      ->required()
      ->type_name("FILE");
  verb->add_option("--decoder", stylizing.decoder, "safetensors: the decoder that belongs to it")
      ->required()
      ->type_name("FILE");
  verb->add_option("--out", stylizing.out, "folder to write to")->required()->type_name("DIR");
  verb->add_option("--alpha", stylizing.alpha, "strength, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--style-size", stylizing.style_side, "shorter side that styles are brought to")
      ->check(CLI::Range(9, 4096))
      ->capture_default_str();
  verb->add_option("--seed", stylizing.seed, "of the draws")->capture_default_str();
  add_machine_options(*verb, options->machine);
  verb->footer(
      examples({"data stylize /data/imagenette paintings --encoder vgg.safetensors --decoder "
                "decoder.safetensors --out /data/imagenette-styled"}));
  verb->callback([options, &action] { action = [options] { return stylize(*options); }; });
}

}  // namespace noisymix
