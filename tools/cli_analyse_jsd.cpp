// noisymix analyse jsd: second-order expansions of consistency losses, checked.
#include <cstdio>
#include <iostream>
#include <memory>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/analysis/consistency_expansion.h"
#include "tools/cli_analyse.h"
#include "tools/progress.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  ConsistencyOptions check;
  MachineOptions machine;
};

int analyse_jsd(const Options& options) {
  apply_machine_options(options.machine);
  make_output_folder(options.out);
  ConsistencyCheck check;
  {
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "levels");
    check =
        check_consistency(options.check, [&](int done, int total) { display.show("noise", done, total); });
  }
  write_results(options.out, "jsd", consistency_json(options.check, check), consistency_csv(check),
                consistency_svg(check));
  char line[200];
  std::snprintf(line, sizeof line,
                "|JS - expansion| shrinks as eps^%.2f (views apart), eps^%.2f (one base point); 3 expected\n",
                check.apart_order, check.same_order);
  std::cout << line;
  const KlPoint& least = check.kl.front();
  std::snprintf(line, sizeof line,
                "KL / (sigma^2/2 Tr G) = %.6f, KL of uniform levels / (sigma^2/6 Tr G) = %.6f at sigma %g; 1 "
                "expected\n",
                least.fixed / least.fixed_expansion, least.uniform / least.uniform_expansion, least.sigma);
  std::cout << line;
  return kExitSuccess;
}

}  // namespace

void add_analyse_jsd(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  ConsistencyOptions& check = options->check;
  CLI::App* jsd = verb.add_subcommand(
      "jsd", "Jensen-Shannon and Kullback-Leibler consistency against their second-order expansions");
  add_out_option(*jsd, options->out, "jsd.json, .csv and .svg");
  jsd->add_option("--classes", check.classes, "of the predictions")
      ->check(CLI::Range(2, 10000))
      ->capture_default_str();
  jsd->add_option("--pairs", check.pairs, "random pairs of views")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  jsd->add_option("--points", check.points, "inputs of the network for the noise part")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  jsd->add_option("--draws", check.draws, "of noise for each, an even number")
      ->check(CLI::Range(16, 1000000))
      ->capture_default_str();
  jsd->add_option("--seed", check.seed, "of everything drawn")->capture_default_str();
  add_machine_options(*jsd, options->machine);
  jsd->footer(examples({"analyse jsd --out jsd", "analyse jsd --classes 100 --pairs 1000 --out jsd"}));
  jsd->callback([options, &action] { action = [options] { return analyse_jsd(*options); }; });
}

}  // namespace noisymix
