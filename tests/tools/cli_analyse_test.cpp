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
      {"analyse", "geometry", "run", "--out", out, "--curvature", "other"}};
  for (const auto& words : wrong) {
    CAPTURE(words.back());
    const Outcome outcome = run_program(words);
    CHECK(outcome.code == kExitUsage);
    CHECK(outcome.err.starts_with("noisymix: "));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
  CHECK(folder.names().empty());
  CHECK(run_program({"--help"}).out.find("analyse") != std::string::npos);
  CHECK(run_program({"analyse", "geometry", "--help"}).out.find("Examples:") != std::string::npos);
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
