// noisymix analyse from end to end, at tiny sizes.
#include <doctest/doctest.h>

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>

#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"
#include "tests/tools/small_runs.h"

using namespace noisymix;
using namespace noisymix::testing;

TEST_CASE("analyse: wrong usage is one line and code 2") {
  const ScratchFolder folder;
  const std::string out = (folder / "out").string();
  const std::vector<std::vector<std::string>> wrong = {
      {"analyse"},
      {"analyse", "second-order"},
      {"analyse", "second-order", "--out", out, "--draws", "0"},
      {"analyse", "second-order", "--out", out, "--alpha", "-1"},
      {"analyse", "geometry", "--out", out},
      {"analyse", "geometry", "run"},
      {"analyse", "geometry", "run", "--out", out, "--radii", "0.1,0"},
      {"analyse", "geometry", "run", "--out", out, "--curvature", "other"},
      {"analyse", "boundaries", "--out", out},
      {"analyse", "boundaries", "--toy", "square", "--out", out},
      {"analyse", "boundaries", "--toy", "circles", "--out", out, "--seeds", "0"},
      {"analyse", "errors", "--out", out},
      {"analyse", "errors", "--group", "name", "--out", out},
      {"analyse", "features", "--out", out},
      {"analyse", "features", "run", "--out", out, "--scale", "other"},
      {"analyse", "jsd"},
      {"analyse", "jsd", "--out", out, "--classes", "1"},
      {"analyse", "levels", "--out", out},
      {"analyse", "levels", "run", "--out", out, "--levels", "-1"}};
  for (const auto& words : wrong) {
    CAPTURE(words.back());
    const Outcome outcome = run_program(words);
    CHECK(outcome.code == kExitUsage);
    CHECK(outcome.err.starts_with("noisymix: "));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(folder.names().empty());
  CHECK(run_program({"--help"}).out.find("analyse") != std::string::npos);
  for (const char* name : {"boundaries", "levels", "errors", "features", "geometry", "second-order", "jsd"})
    CHECK(run_program({"analyse", name, "--help"}).out.find("Examples:") != std::string::npos);
}

TEST_CASE("analyse: bad files are one line and code 1") {
  const ScratchFolder folder;
  const std::string file = folder.write("file", std::string("x")).string();
  const Outcome blocked =
      run_program({"analyse", "second-order", "--epochs", "0", "--draws", "1", "--out", file});
  CHECK(blocked.code == kExitFailure);
  CHECK(blocked.err.starts_with("noisymix: " + file + ": cannot make this folder: "));
  const Outcome missing =
      run_program({"analyse", "geometry", "/nowhere", "--out", (folder / "out").string()});
  CHECK(missing.code == kExitFailure);
  CHECK(missing.err.find("/nowhere") != std::string::npos);
  CHECK(std::count(missing.err.begin(), missing.err.end(), '\n') == 1);
}

TEST_CASE("analyse second-order") {
  const ScratchFolder folder;
  const Outcome outcome = run_program({"analyse", "second-order", "--epochs", "1", "--draws", "2", "--add",
                                       "0.1", "--out", (folder / "a/b").string()});
  REQUIRE_MESSAGE(outcome.code == kExitSuccess, outcome.err);
  CHECK(outcome.out.find("|exact - expansion|") != std::string::npos);
  const auto json = nlohmann::json::parse(file_bytes(folder / "a/b/second-order.json"));
  CHECK(json["add"] == 0.1);
  CHECK(json["results"].size() == 2);
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder / "a/b")) ++files;
  CHECK(files == 3);
  CHECK(file_bytes(folder / "a/b/second-order.svg").starts_with("<svg"));
}

TEST_CASE("analyse geometry") {
  const ScratchFolder folder;
  const std::string trained = (folder / "run").string(), out = (folder / "out").string();
  REQUIRE(run_program({"train", "toy-polygon-nfm", "--out", trained, "--set", "train.epochs=1"}).code ==
          kExitSuccess);
  const Outcome outcome = run_program(
      {"analyse", "geometry", trained + "/", trained, "--out", out, "--limit", "20", "--radii", "0.1,1"});
  REQUIRE_MESSAGE(outcome.code == kExitSuccess, outcome.err);
  const auto json = nlohmann::json::parse(file_bytes(folder / "out/geometry.json"));
  REQUIRE(json["runs"].size() == 2);
  CHECK(json["runs"][0] == json["runs"][1]);
  CHECK(json["runs"][0]["run"] == trained);
  CHECK(json["runs"][0]["examples"] == 20);
  CHECK(json["runs"][0]["radii"][1]["radius"] == 1.0);
  CHECK(file_bytes(folder / "out/geometry.csv").find(",0.1,") != std::string::npos);
  CHECK(file_bytes(folder / "out/geometry.svg").starts_with("<svg"));
  CHECK(run_program({"analyse", "geometry", trained, "--out", out, "--dataset", "shapes"}).code ==
        kExitUsage);
}

TEST_CASE("analyse boundaries") {
  const ScratchFolder folder;
  const Outcome outcome = run_program({"analyse", "boundaries", "--toy", "polygon", "--set", "train.epochs=1",
                                       "--out", (folder / "out").string()});
  REQUIRE_MESSAGE(outcome.code == kExitSuccess, outcome.err);
  CHECK(outcome.out.find("NoisyMix: test accuracy") != std::string::npos);
  const auto json = nlohmann::json::parse(file_bytes(folder / "out/boundaries-polygon.json"));
  CHECK(json["schemes"].size() == 6);
  CHECK(json["schemes"][0]["probability"].size() == 40000);
  CHECK(file_bytes(folder / "out/boundaries-polygon.svg").starts_with("<svg"));
  CHECK(run_program({"analyse", "boundaries", "--toy", "polygon", "--set", "train.wrong=1", "--out",
                     (folder / "out").string()})
            .code == kExitUsage);
}

TEST_CASE("analyse levels and errors: seeds of one title are a group, results stay in the runs") {
  const ScratchFolder folder;
  const std::string out = (folder / "out").string();
  std::vector<std::string> runs;
  for (const char* seed : {"1", "2"}) {
    runs.push_back((folder / seed).string());
    REQUIRE(run_program({"train", "toy-circles-nfm", "--out", runs.back(), "--set", "train.epochs=2", "--set",
                         std::string("train.seed=") + seed})
                .code == kExitSuccess);
  }
  const Outcome levels =
      run_program({"analyse", "levels", runs[0], runs[1], "--levels", "0,0.5", "--out", out});
  REQUIRE_MESSAGE(levels.code == kExitSuccess, levels.err);
  auto json = nlohmann::json::parse(file_bytes(folder / "out/levels.json"));
  REQUIRE(json["perturbations"].size() == 1);  // points know white noise only
  REQUIRE(json["perturbations"][0]["groups"].size() == 1);
  CHECK(json["perturbations"][0]["groups"][0]["runs"].size() == 2);
  CHECK(json["perturbations"][0]["groups"][0]["levels"][1]["level"] == 0.5);
  CHECK(file_bytes(folder / "1/evaluation.json").find("white_noise") != std::string::npos);
  CHECK(run_program({"analyse", "levels", runs[0], "--noise", "pgd", "--out", out}).code == kExitUsage);

  const Outcome errors =
      run_program({"analyse", "errors", runs[0], "--group", "second=" + runs[1], "--out", out});
  REQUIRE_MESSAGE(errors.code == kExitSuccess, errors.err);
  json = nlohmann::json::parse(file_bytes(folder / "out/errors.json"));
  REQUIRE(json["groups"].size() == 2);
  CHECK(json["groups"][0]["title"] == "NFM");
  CHECK(json["groups"][1]["title"] == "second");
  CHECK(json["groups"][0]["epochs"].size() == 2);
}

TEST_CASE("analyse features: any model of images") {
  const ScratchFolder folder;
  const std::string run = (folder / "run").string(), out = (folder / "out").string();
  REQUIRE(run_program({"train", "demo", "--out", run, "--set", "model.name=preactresnet18", "--set",
                       "model.width=0.0625", "--set", "train.max_steps=1", "--set", "data.train_limit=64",
                       "--set", "data.test_limit=16"})
              .code == kExitSuccess);
  const Outcome outcome =
      run_program({"analyse", "features", run, "--units", "2", "--steps", "2", "--out", out});
  REQUIRE_MESSAGE(outcome.code == kExitSuccess, outcome.err);
  const auto json = nlohmann::json::parse(file_bytes(folder / "out/features.json"));
  REQUIRE(json["runs"][0]["units"].size() == 2);
  CHECK(json["runs"][0]["features"] == 32);
  CHECK(json["runs"][0]["units"][0]["finish"] > json["runs"][0]["units"][0]["start"]);
  CHECK(file_bytes(folder / "out/features.png").substr(1, 3) == "PNG");
}

TEST_CASE("analyse jsd") {
  const ScratchFolder folder;
  const Outcome outcome = run_program({"analyse", "jsd", "--pairs", "10", "--points", "2", "--draws", "16",
                                       "--out", (folder / "out").string()});
  REQUIRE_MESSAGE(outcome.code == kExitSuccess, outcome.err);
  CHECK(outcome.out.find("3 expected") != std::string::npos);
  CHECK(file_bytes(folder / "out/jsd.svg").starts_with("<svg"));
}
