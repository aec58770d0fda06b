// noisymix evaluate: trained models on their test set, clean, corrupted, perturbed and attacked.
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <unistd.h>

#include <CLI/CLI.hpp>

#include "engine/error.h"
#include "tools/cli.h"
#include "tools/evaluation/evaluate.h"
#include "tools/evaluation/results_table.h"
#include "tools/frost_pictures.h"
#include "tools/progress.h"
#include "tools/stop_signals.h"
#include "tools/test_set.h"
#include "tools/work_progress.h"

namespace noisymix {
namespace {

struct Options {
  std::vector<std::string> models, suites = {"clean", "noise"}, corruptions, sequences;
  std::string renditions, parameters, frost;
  TestSetOptions test_set;
  bool json = false, keep = true;
  EvaluateOptions evaluate;
  MachineOptions machine;
};

void resolve(Options& options, const Dataset& data) {
  EvaluateOptions& evaluate = options.evaluate;
  evaluate.suites = suites_named(options.suites);
  evaluate.corruptions = corruptions_named(options.corruptions);
  evaluate.sequences = sequences_named(options.sequences);
  std::sort(evaluate.severities.begin(), evaluate.severities.end());
  const auto shape = data.sample_shape();
  evaluate.parameters = options.parameters.empty()
                            ? parameters_for(shape.size() == 3 ? static_cast<int>(shape[0]) : 0)
                            : parameter_set_named(options.parameters);
  if (!options.frost.empty()) evaluate.corruption_options.frost_pictures = read_frost_pictures(options.frost);
}

/// What was asked for, of all that the runs' files know.
std::vector<EvaluationResults> results_of(const std::vector<EvaluatedRun>& runs,
                                          const std::vector<Variant>& variants,
                                          const EvaluateOptions& options) {
  std::vector<EvaluationResults> results;
  for (const EvaluatedRun& run : runs) {
    results.push_back(run.results);
    results.back().cells.clear();
    for (const Variant& variant : variants) {
      const Cell& place = variant.place;
      const Cell* cell = run.results.find(place.suite, place.type, place.severity, place.level);
      if (cell != nullptr) results.back().cells.push_back(*cell);
    }
    if (!options.has(Suite::sequences)) results.back().sequences.clear();
  }
  return results;
}

std::vector<Variant> choose_variants(const Options& options, const Dataset& data) {
  std::vector<Variant> variants = make_variants(options.evaluate, data);
  if (!options.evaluate.corrupted_from.empty()) {  // files take the place of what would be corrupted here
    TestSetOptions whole = options.test_set;
    whole.limit = kWholeSet;
    std::erase_if(variants, [](const Variant& v) {
      return v.place.suite == "corruptions" || v.place.suite == "clean";
    });
    const auto everything = open_test_set(load_run(options.models.front()), whole);
    auto published =
        make_published_variants(options.evaluate, data, *everything, options.evaluate.corrupted_from);
    variants.insert(variants.begin(), published.begin(), published.end());
  }
  if (!options.renditions.empty())
    variants.push_back(make_renditions_variant(options.evaluate, data, options.renditions));
  return variants;
}

int evaluate(Options& options) {
  const Device device = apply_machine_options(options.machine);
  (void)suites_named(options.suites);  // a misspelled name should not wait for data to load
  const auto data = open_common_test_set(options.models, options.test_set);
  resolve(options, *data);
  const auto variants = choose_variants(options, *data);
  std::vector<EvaluatedRun> runs;
  bool finished = false;
  {
    const StopSignals signals;
    WorkProgress display(std::cerr, is_terminal(STDERR_FILENO), terminal_width(STDERR_FILENO), "passes");
    for (const std::string& path : options.models) {
      runs.push_back(open_evaluated_run(path, device, *data, options.evaluate,
                                        [&](const std::string& text) { display.line(text); }));
      if (!options.keep) runs.back().file.clear();
    }
    EvaluationObserver observer;
    observer.progress = [&](const EvaluationProgress& at) { display.show(at.place, at.done, at.total); };
    observer.should_stop = [] { return StopSignals::requested(); };
    finished = evaluate_runs(runs, *data, variants, options.evaluate, observer);
  }
  const auto results = results_of(runs, variants, options.evaluate);
  std::cout << (options.json ? results_json(results) + "\n" : results_text(results, options.evaluate));
  if (!finished) {
    std::cerr << "stopped; the same command continues with what is missing\n";
    return kExitInterrupted;
  }
  return kExitSuccess;
}

void add_level_options(CLI::App& verb, EvaluateOptions& evaluation) {
  verb.add_option("--white-noise", evaluation.white_noise,
                  "deviations in normalised units, separated by commas")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LEVELS");
  verb.add_option("--salt-pepper", evaluation.salt_pepper, "shares of the pixels, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("LEVELS");
  verb.add_option("--channels", evaluation.channels, "channels of salt & pepper: red (as published) or all")
      ->transform(CLI::CheckedTransformer(std::map<std::string, SaltPepperChannels>{
          {"red", SaltPepperChannels::red}, {"all", SaltPepperChannels::all}}))
      ->type_name("red|all");
  AttackLevels& attacks = evaluation.attacks;
  verb.add_option("--fgsm", attacks.fgsm, "radii for pixels in 0..1, separated by commas")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LEVELS");
  verb.add_option("--pgd-linf", attacks.pgd_linf, "the same")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LEVELS");
  verb.add_option("--pgd-l2", attacks.pgd_l2, "the same, Euclidean")
      ->delimiter(',')
      ->check(CLI::NonNegativeNumber)
      ->type_name("LEVELS");
  verb.add_option("--pgd-iterations", attacks.iterations, "steps of PGD")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  verb.add_option("--attack-limit", evaluation.attack_limit, "attack the first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
}

void add_suite_options(CLI::App& verb, Options& options) {
  EvaluateOptions& evaluation = options.evaluate;
  verb.add_option("--suite", options.suites,
                  "clean, corruptions, sequences, noise, attacks, calibration, all; separated by commas")
      ->delimiter(',')
      ->type_name("SUITES");
  verb.add_option("--types", options.corruptions,
                  "corruptions separated by commas, all (19) or benchmark (15)")
      ->delimiter(',')
      ->type_name("TYPES");
  verb.add_option("--severities", evaluation.severities, "1 to 5, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(1, 5))
      ->type_name("LEVELS");
  verb.add_option("--corrupted", evaluation.corrupted_from,
                  "folder of corrupted images as published (TYPE.npy, or a tree of folders)")
      ->type_name("DIR");
  verb.add_option("--renditions", options.renditions,
                  "tree CLASS/FILE of other pictures of some classes, as ImageNet-R")
      ->type_name("DIR");
  verb.add_flag("--skip-unreadable", evaluation.skip_unreadable, "leave out pictures that cannot be decoded");
  verb.add_option("--sequences", options.sequences,
                  "sequences separated by commas, all (14) or benchmark (10)")
      ->delimiter(',')
      ->type_name("TYPES");
  verb.add_option("--difficulties", evaluation.difficulties, "of sequences: 1 to 3, separated by commas")
      ->delimiter(',')
      ->check(CLI::Range(1, 3))
      ->type_name("LEVELS");
  verb.add_option("--sequence-limit", evaluation.sequence_limit,
                  "sequences of the first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb.add_option("--constants", options.parameters,
                  "cifar-c, tiny-imagenet-c or imagenet-c; by default those for the image size")
      ->type_name("SET");
  verb.add_option("--frost-dir", options.frost, "folder of frost pictures; without it, ice is drawn")
      ->type_name("DIR");
  verb.add_flag("--glass-swap", evaluation.corruption_options.glass_swap,
                "glass blur exchanges pixels instead of copying them");
}

}  // namespace

void add_evaluate(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  EvaluateOptions& evaluation = options->evaluate;
  CLI::App* verb = program.add_subcommand(
      "evaluate", "Accuracy and calibration on clean, corrupted, perturbed and attacked test data");
  verb->add_option("model", options->models,
                   "run folders, or .safetensors files written by runs; several are compared")
      ->required()
      ->type_name("RUN|MODEL...");
  verb->add_option("--data", options->test_set.path, "folder of the test set's files")->type_name("PATH");
  verb->add_option("--dataset", options->test_set.dataset, "another data set (noisymix data list)")
      ->type_name("NAME");
  verb->add_option("--limit", options->test_set.limit, "first examples only; 0 is all")
      ->check(CLI::NonNegativeNumber);
  verb->add_option("--batch", evaluation.batch, "examples at once")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  add_suite_options(*verb, *options);
  add_level_options(*verb, evaluation);
  verb->add_option("--seed", evaluation.seed, "of everything drawn")->capture_default_str();
  verb->add_flag("--json", options->json, "JSON instead of a table");
  verb->add_flag("!--no-file", options->keep, "neither read nor write evaluation.json beside the run");
  add_machine_options(*verb, options->machine);
  verb->footer(examples({"evaluate runs/demo", "evaluate runs/demo-baseline runs/demo --suite all",
                         "evaluate runs/a --suite corruptions --types fog,snow --severities 3 --limit 1000",
                         "evaluate runs/a --suite corruptions --corrupted datasets/CIFAR-10-C",
                         "evaluate model.safetensors --data /data/cifar10 --json",
                         "evaluate runs/a --white-noise 0.1,0.5 --channels all"}));
  verb->callback([options, &action] { action = [options] { return evaluate(*options); }; });
}

}  // namespace noisymix
