// noisymix data shard: pictures in class folders as tar shards.
#include <iostream>
#include <memory>
#include <string>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "data/pack_shards.h"
#include "tools/cli.h"
#include "tools/cli_data.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::string folder, out, size = "500M", order = "shuffled";
  PackOptions pack;
};

int shard(Options& options) {
  options.pack.shard_bytes = parse_size(options.size);
  options.pack.shuffled = options.order == "shuffled";
  const StopSignals signals;
  PackResult result;
  {
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "pictures");
    options.pack.progress = [&](std::int64_t done, std::int64_t total) {
      display.show(options.out, static_cast<double>(done), static_cast<double>(total));
    };
    options.pack.should_stop = StopSignals::requested;
    result = pack_shards(options.folder, options.out, options.pack);
  }
  if (!result.finished) {
    std::cerr << "stopped; remove " << options.out << " before packing again\n";
    return kExitInterrupted;
  }
  std::cout << options.out << ": " << result.pictures << " pictures in " << result.shards << " shards\n";
  return kExitSuccess;
}

}  // namespace

void add_data_shard(CLI::App& data, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = data.add_subcommand("shard", "Pack pictures in class folders into tar shards");
  verb->add_option("folder", options->folder, "holds train/CLASS/ and test/CLASS/, or CLASS/ alone")
      ->required()
      ->type_name("FOLDER");
  verb->add_option("--out", options->out, "folder to write train/*.tar, test/*.tar and classes.txt to")
      ->required()
      ->type_name("DIR");
  verb->add_option("--size", options->size, "largest shard, such as 500M or 2G")
      ->capture_default_str()
      ->type_name("SIZE");
  verb->add_option("--order", options->order, "shuffled, or sorted by class and name")
      ->check(CLI::IsMember({"shuffled", "sorted"}))
      ->capture_default_str()
      ->type_name("ORDER");
  verb->add_option("--seed", options->pack.seed, "of the order; 0 is the order of the data set folder")
      ->capture_default_str();
  verb->footer(examples({"data shard /data/imagenet --out /data/imagenet-shards --size 500M"}));
  verb->callback([options, &action] { action = [options] { return shard(*options); }; });
}

}  // namespace noisymix
