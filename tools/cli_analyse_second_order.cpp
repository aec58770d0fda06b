// noisymix analyse second-order: NFM's loss against its expansion.
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <string>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "tools/analysis/second_order.h"
#include "tools/cli_analyse.h"
#include "tools/progress.h"

namespace noisymix {
namespace {

struct Options {
  std::filesystem::path out;
  SecondOrderOptions second_order;
  MachineOptions machine;
};

int analyse_second_order(const Options& options) {
  apply_machine_options(options.machine);
  make_output_folder(options.out);
  const SecondOrderOptions& wanted = options.second_order;
  const bool show = is_terminal(STDERR_FILENO);
  const auto progress = [&](const SecondOrderEpoch& epoch) {
    if (!show) return;
    char line[96];
    std::snprintf(line, sizeof line, "\repoch %d / %d  training points: exact %.4f, expansion %.4f  ",
                  epoch.epoch, wanted.epochs, epoch.train.exact.value, epoch.train.expansion.sum());
    std::cerr << line << (epoch.epoch == wanted.epochs ? "\r\x1b[K" : "") << std::flush;
  };
  const std::vector<SecondOrderEpoch> epochs = second_order_check(wanted, progress);
  write_results(options.out, "second-order", second_order_json(wanted, epochs), second_order_csv(epochs),
                second_order_svg(epochs));
  const SecondOrderGap gap = second_order_gap(epochs);
  char line[160];
  std::snprintf(line, sizeof line, "|exact - expansion|: mean %.4f (%.1f %% of the loss), largest %.4f\n",
                gap.mean, 100 * gap.mean_relative, gap.largest);
  std::cout << line;
  return kExitSuccess;
}

}  // namespace

void add_analyse_second_order(CLI::App& verb, Action& action) {
  const auto options = std::make_shared<Options>();
  SecondOrderOptions& wanted = options->second_order;
  CLI::App* check = verb.add_subcommand(
      "second-order", "NFM's loss against its second-order expansion, epoch by epoch, on concentric circles");
  add_out_option(*check, options->out, "second-order.json, .csv and .svg");
  check->add_option("--epochs", wanted.epochs, "epochs of training")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  check->add_option("--alpha", wanted.law.alpha, "lambda ~ Beta(alpha, alpha); 0 mixes nothing")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check->add_option("--add", wanted.law.add, "additive noise level")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check->add_option("--mult", wanted.law.mult, "multiplicative noise level")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  check
      ->add_option("--noise-scale", wanted.law.scale,
                   "levels times a Beta(2,5) draw (beta25) or as they are (fixed)")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, NoiseScale>{{"beta25", NoiseScale::beta25}, {"fixed", NoiseScale::fixed}}))
      ->type_name("beta25|fixed");
  check->add_option("--activation", wanted.activation, "of the hidden layer; R3 is 0 for relu")
      ->transform(CLI::CheckedTransformer(std::map<std::string, ActivationKind>{
          {"relu", ActivationKind::relu}, {"gelu", ActivationKind::gelu}}))
      ->type_name("relu|gelu");
  check->add_option("--draws", wanted.draws, "draws of lambda and noise for each pair of points")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  check->add_option("--seed", wanted.seed, "of data, weights, training and sampling")->capture_default_str();
  add_machine_options(*check, options->machine);
  check->footer(examples(
      {"analyse second-order --out second-order", "analyse second-order --add 0 --mult 0 --out mixup"}));
  check->callback([options, &action] { action = [options] { return analyse_second_order(*options); }; });
}

}  // namespace noisymix
