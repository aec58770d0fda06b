// The command line from end to end, in this process: messages, exit codes, and the way from training to a
// picture.
#include "tools/cli.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "data/image_codec.h"
#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"

using namespace noisymix;
using testing::Outcome;
using testing::run_program;

TEST_CASE("cli: help and version") {
  CHECK(run_program({"--version"}).code == kExitSuccess);
  CHECK(run_program({"--version"}).out.starts_with("noisymix "));
  const Outcome help = run_program({"--help"});
  CHECK(help.code == kExitSuccess);
  for (const char* verb : {"train", "evaluate", "predict", "models", "config", "data", "bench", "plot"}) {
    CAPTURE(verb);
    CHECK(help.out.find(verb) != std::string::npos);
    CHECK(run_program({verb, "--help"}).code == kExitSuccess);
  }
  CHECK(run_program({"train", "--help"}).out.find("Examples:") != std::string::npos);
}

TEST_CASE("cli: wrong usage is one line and code 2") {
  const std::vector<std::vector<std::string>> wrong = {{"trian"},
                                                       {"train"},
                                                       {"train", "a", "b"},
                                                       {"evaluate"},
                                                       {"predict", "model"},
                                                       {"bench"},
                                                       {"data"},
                                                       {"train", "demo-baseline", "--threads", "-1"},
                                                       {"bench", "step", "--scheme", "none"},
                                                       {"plot", "boundary", "run"}};
  for (const auto& words : wrong) {
    CAPTURE(words.back());
    const Outcome outcome = run_program(words);
    CHECK(outcome.code == kExitUsage);
    CHECK(outcome.err.starts_with("noisymix: "));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(run_program({}).code == kExitUsage);
  CHECK(run_program({"trian"}).err ==
        "noisymix: unknown verb 'trian', did you mean train? (see noisymix --help)\n");
}

TEST_CASE("cli: errors of the configuration") {
  const Outcome unknown = run_program({"train", "demo-basline"});
  CHECK(unknown.code == kExitUsage);
  CHECK(unknown.err ==
        "noisymix: no file or ready configuration 'demo-basline'; did you mean demo-baseline?\n");
  const Outcome two =
      run_program({"train", "demo-baseline", "--set", "train.epochs=0", "--set", "train.btch=1"});
  CHECK(two.code == kExitUsage);
  CHECK(two.err ==
        "noisymix: --set train.epochs=0: train.epochs: must be in 1 .. 1000000, got 0\n"
        "noisymix: --set train.btch=1: unknown key train.btch; did you mean train.batch?\n");
  CHECK(run_program({"train", "demo-baseline", "--device", "toaster"}).code != kExitSuccess);
  CHECK(run_program({"evaluate", "/nowhere"}).code == kExitFailure);
  CHECK(run_program({"config", "explain", "mix.alpa"}).err ==
        "noisymix: unknown key or section mix.alpa; did you mean mix.alpha?\n");
}

TEST_CASE("cli: listings") {
  CHECK(run_program({"models", "--brief"}).out.find("preactresnet18") != std::string::npos);
  CHECK(run_program({"data", "list"}).out.find("cifar10") != std::string::npos);
  CHECK(run_program({"config", "list"}).out.find("cifar10-noisymix ") != std::string::npos);
  CHECK(run_program({"config", "explain", "mix.sparse"}).out.find("D2") != std::string::npos);
  CHECK(run_program({"config", "show", "demo"}).out.find("[views]") != std::string::npos);
  CHECK(run_program({"config", "show", "demo", "--set", "train.epochs=3"}).out.find("epochs = 3\n") !=
        std::string::npos);
  CHECK(run_program({"config", "reference"}).out.starts_with("# Configuration reference"));
}

TEST_CASE("cli: train, evaluate, plot") {
  const testing::ScratchFolder folder;
  const std::string trained = (folder / "run").string();
  const Outcome training = run_program({"train", "toy-polygon-nfm", "--out", trained, "--set",
                                        "train.epochs=3", "--set", "train.eval_every=1", "--threads", "1"});
  REQUIRE_MESSAGE(training.code == kExitSuccess, training.err);
  CHECK(training.out.find("test accuracy") != std::string::npos);
  CHECK(run_program({"train", "toy-polygon-nfm", "--out", trained}).code ==
        kExitUsage);  // the folder holds a run

  const Outcome text = run_program({"evaluate", trained});
  CHECK(text.code == kExitSuccess);
  CHECK(text.out.find("white noise") != std::string::npos);
  const Outcome json = run_program({"evaluate", trained, "--json", "--white-noise", "0.5,1"});
  REQUIRE(json.code == kExitSuccess);
  const auto report = nlohmann::json::parse(json.out);
  CHECK(report["examples"] == 250);
  CHECK(report["white_noise"].size() == 2);
  CHECK(report["white_noise"][1]["level"] == 1.0);
  CHECK(run_program({"evaluate", trained, "--json", "--white-noise", "0.5,1", "--batch", "7"}).out ==
        json.out);
  CHECK(run_program({"evaluate", trained, "--dataset", "shapes"}).code == kExitUsage);
  CHECK(run_program({"predict", trained, (folder / "missing.png").string()}).code != kExitSuccess);

  REQUIRE(
      run_program({"plot", "boundary", trained, trained, "--out", (folder / "boundary.png").string()}).code ==
      kExitSuccess);
  CHECK(read_image(folder / "boundary.png").width > 800);
  REQUIRE(run_program({"plot", "curves", trained, "--out", (folder / "curves.svg").string()}).code ==
          kExitSuccess);
  CHECK(std::filesystem::file_size(folder / "curves.svg") > 1000);
}

TEST_CASE("cli: predict names bad pictures and answers for the others") {
  const testing::ScratchFolder folder;
  const std::string trained = (folder / "run").string();
  REQUIRE(run_program({"train", "demo-baseline", "--out", trained, "--set", "train.max_steps=1", "--set",
                       "data.train_limit=16", "--set", "data.test_limit=16", "--set", "train.batch=8"})
              .code == kExitSuccess);
  write_png((folder / "good.png").string(), Image(20, 50, 3));
  std::ofstream(folder / "bad.png") << "no picture";
  const Outcome outcome =
      run_program({"predict", trained, (folder / "bad.png").string(), (folder / "good.png").string()});
  CHECK(outcome.code == kExitFailure);
  CHECK(outcome.err.find("bad.png") != std::string::npos);
  CHECK(outcome.out.find("good.png\n") != std::string::npos);
  CHECK(std::count(outcome.out.begin(), outcome.out.end(), '%') == 5);
  CHECK(run_program({"evaluate", trained, "--limit", "8", "--batch", "4"}).out.find("salt & pepper") !=
        std::string::npos);
}
