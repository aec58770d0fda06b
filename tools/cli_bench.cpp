// noisymix bench: speed of a training step and of the input pipeline.
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/bench_augmix.h"
#include "tools/bench_conv.h"
#include "tools/bench_corruptions.h"
#include "tools/bench_loader.h"
#include "tools/bench_peak.h"
#include "tools/bench_schemes.h"
#include "tools/bench_step.h"
#include "tools/cli.h"

namespace noisymix {
namespace {

struct Options {
  BenchStepOptions step;
  BenchAugmixOptions augmix;
  BenchConvOptions conv;
  BenchCorruptionsOptions corruptions;
  std::vector<std::string> schemes;
  BenchLoaderOptions loader;
  std::string constants = "cifar-c";
  std::string device = "auto";
  bool json = false;
};

template <typename Result>
int print(const Result& result, bool json) {
  std::cout << (json ? to_json(result) + "\n" : to_text(result));
  if (!json) std::cout << std::flush;
  return kExitSuccess;
}

void add_bench_loader(CLI::App& verb, const std::shared_ptr<Options>& options, Action& action) {
  BenchLoaderOptions& loader = options->loader;
  CLI::App* pictures = verb.add_subcommand(
      "loader", "Random resized crops of JPEG and PNG files: reading, decoding, resizing");
  pictures->add_option("--data", loader.path, "folder of the files; without it, pictures are made in memory")
      ->type_name("PATH");
  pictures->add_option("--dataset", loader.dataset, "how they are laid out, see noisymix data list")
      ->capture_default_str()
      ->type_name("NAME");
  pictures->add_option("--images", loader.images)->check(CLI::Range(1, 100000000))->capture_default_str();
  pictures->add_option("--side", loader.side, "of the crops")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  pictures->add_option("--threads", loader.threads, "0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  pictures->add_flag("--json", options->json, "one JSON object");
  pictures->footer(examples({"bench loader", "bench loader --data datasets/imagenet --threads 8 --json"}));
  pictures->callback([options, &action] {
    action = [options] { return print(bench_loader(options->loader), options->json); };
  });
}

}  // namespace

void add_bench(CLI::App& program, Action& action) {
  const auto options = std::make_shared<Options>();
  CLI::App* verb = program.add_subcommand("bench", "Measure speed on random images");
  verb->require_subcommand(1);

  BenchStepOptions& step = options->step;
  CLI::App* steps = verb->add_subcommand("step", "One training step, or one forward pass");
  steps->add_option("--arch", step.arch, "model, see noisymix models")
      ->capture_default_str()
      ->type_name("MODEL");
  steps->add_option("--scheme", step.scheme, "infer, plain, or NAME of a ready configuration cifar10-NAME")
      ->capture_default_str()
      ->type_name("SCHEME");
  steps->add_option("--batch", step.batch, "examples; augmix and noisymix see three views of each")
      ->check(CLI::Range(1, 65536))
      ->capture_default_str();
  steps->add_option("--dtype", step.dtype, "of the activations: f32, bf16 or, on a GPU, tf32")
      ->check(CLI::IsMember({"f32", "bf16", "tf32"}))
      ->capture_default_str();
  steps->add_option("--steps", step.steps, "timed steps; the median counts")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  steps->add_option("--warmup", step.warmup, "steps before them")
      ->check(CLI::Range(0, 100000))
      ->capture_default_str();
  steps->add_option("--classes", step.classes)->check(CLI::Range(2, 100000))->capture_default_str();
  steps->add_option("--threads", step.threads, "0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  steps->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  steps->add_flag("--eager", step.eager, "GPU: op by op instead of a recorded step");
  steps->add_flag("!--any-algorithm", step.deterministic,
                  "GPU: also algorithms that do not give the same bits every time");
  steps->add_option("--dropout", step.dropout, "probability instead of the model's own")
      ->check(CLI::Range(0.0, 0.99));
  steps->add_flag("--profile", step.profile, "time, rate and distance from the machine's limit of every op");
  steps->add_flag("--json", options->json, "one JSON object");
  steps->footer(examples({"bench step --arch wrn28-4 --scheme noisymix --batch 128 --threads 2 --json"}));
  steps->callback([options, &action] {
    action = [options] {
      options->step.device = parse_device(options->device);
      return print(bench_step(options->step), options->json);
    };
  });

  CLI::App* costs = verb->add_subcommand(
      "schemes", "A step of every training scheme against the plain step times its passes");
  costs->add_option("NAME", options->schemes, "schemes; all there are unless given")->type_name("");
  costs->add_option("--arch", step.arch, "model, see noisymix models")
      ->capture_default_str()
      ->type_name("MODEL");
  costs->add_option("--width", step.width, "factor on its channels; 0 is its own")
      ->check(CLI::Range(0.0, 16.0))
      ->capture_default_str();
  costs->add_option("--batch", step.batch, "examples")->check(CLI::Range(1, 65536))->capture_default_str();
  costs->add_option("--steps", step.steps, "timed steps; the median counts")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  costs->add_option("--threads", step.threads, "0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  costs->add_option("--device", options->device, "auto, cpu, cuda or cuda:N")
      ->capture_default_str()
      ->type_name("DEVICE");
  costs->add_flag("--json", options->json, "one JSON array");
  costs->callback([options, &action] {
    action = [options] {
      options->step.device = parse_device(options->device);
      return print(bench_schemes(options->step, options->schemes), options->json);
    };
  });

  BenchConvOptions& conv = options->conv;
  CLI::App* convolutions =
      verb->add_subcommand("conv", "The convolutions of PreActResNet-18 alone, with their gradients");
  convolutions->add_option("--images", conv.images)->check(CLI::Range(1, 65536))->capture_default_str();
  convolutions->add_option("--dtype", conv.dtype, "of the activations: f32 or bf16")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  convolutions->add_option("--width", conv.width, "times the network's channels")
      ->check(CLI::Range(0.01, 16.0))
      ->capture_default_str();
  convolutions->add_option("--repeats", conv.repeats, "timed runs of each layer; the median counts")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  convolutions->add_option("--threads", conv.threads, "0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  convolutions->add_flag("--json", options->json, "one JSON object");
  convolutions->callback(
      [options, &action] { action = [options] { return print(bench_conv(options->conv), options->json); }; });

  CLI::App* peak = verb->add_subcommand("peak", "What this machine can do at best: arithmetic and memory");
  peak->add_flag("--json", options->json, "one JSON object");
  peak->callback([options, &action] { action = [options] { return print(bench_peak(), options->json); }; });

  CLI::App* views = verb->add_subcommand("augmix", "Views of the AugMix input pipeline");
  views->add_option("--images", options->augmix.images)
      ->check(CLI::Range(1, 100000000))
      ->capture_default_str();
  views->add_option("--threads", options->augmix.threads, "0 is one per core")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  views->add_option("--device", options->augmix.device, "cpu, or cuda: the images then lie on the GPU")
      ->capture_default_str()
      ->type_name("DEVICE");
  views->add_flag("--json", options->json, "one JSON object");
  views->callback([options, &action] {
    action = [options] { return print(bench_augmix(options->augmix), options->json); };
  });

  BenchCorruptionsOptions& corruptions = options->corruptions;
  CLI::App* types =
      verb->add_subcommand("corruptions", "All nineteen corruptions at all severities, one thread");
  types->add_option("--images", corruptions.images, "per type and severity")
      ->check(CLI::Range(1, 1000000))
      ->capture_default_str();
  types->add_option("--side", corruptions.side, "of the images")
      ->check(CLI::Range(8, 4096))
      ->capture_default_str();
  types->add_option("--constants", options->constants, "cifar-c, tiny-imagenet-c or imagenet-c")
      ->capture_default_str();
  types->add_flag("--json", options->json, "one JSON object");
  types->callback([options, &action] {
    action = [options] {
      options->corruptions.parameters = parameter_set_named(options->constants);
      return print(bench_corruptions(options->corruptions), options->json);
    };
  });
  add_bench_loader(*verb, options, action);
}

}  // namespace noisymix
