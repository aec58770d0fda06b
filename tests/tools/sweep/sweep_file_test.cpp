// Files of sweeps: what they may say, and what their mistakes are called.
#include "tools/sweep/sweep_file.h"

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/scratch_folder.h"

using namespace noisymix;
using testing::ScratchFolder;

namespace {

Sweep parse(const std::string& text, const std::vector<std::string>& overrides = {}) {
  return parse_sweep("s.toml", text, "", overrides);
}

std::string mistakes(const std::string& text, const std::vector<std::string>& overrides = {}) {
  try {
    parse(text, overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("sweep file: everything it may say") {
  const Sweep sweep = parse(
      "title = \"Two rows\"\n"
      "seeds = [3, 1]\n"
      "set = [\"train.epochs=5\", \"train.batch=7\"]\n"
      "columns = [\"clean\", \"mfp\", \"time\"]\n"
      "[evaluate]\n"
      "suites = [\"sequences\", \"corruptions\"]\n"
      "types = [\"fog\", \"snow\"]\n"
      "severities = [5, 2]\n"
      "sequences = [\"tilt\"]\n"
      "test_limit = 1000\n"
      "sequence_limit = 200\n"
      "[[row]]\n"
      "config = \"demo-baseline\"\n"
      "paper = { clean = 94, mfp = 2.5 }\n"
      "[[row]]\n"
      "config = \"demo\"\n"
      "group = \"Mixing\"\n"
      "label = \"NoisyMix, all of it\"\n"
      "set = [\"train.batch=9\"]\n",
      {"train.epochs=6"});
  CHECK(sweep.name == "s");
  CHECK(sweep.title == "Two rows");
  CHECK(sweep.seeds == std::vector<std::uint64_t>{3, 1});
  const EvaluateOptions& options = sweep.evaluation.options;
  CHECK(options.suites == std::vector<Suite>{Suite::clean, Suite::corruptions, Suite::sequences});
  CHECK(options.corruptions == std::vector<CorruptionType>{CorruptionType::snow, CorruptionType::fog});
  CHECK(options.severities == std::vector<int>{2, 5});
  CHECK(options.sequences.size() == 1);
  CHECK(options.sequence_limit == 200);
  CHECK(sweep.evaluation.test_limit == 1000);
  REQUIRE(sweep.rows.size() == 2);
  const SweepRow &first = sweep.rows[0], &second = sweep.rows[1];
  CHECK(first.label == first.config.title);
  CHECK(first.folder == "demo-baseline");
  CHECK(first.config.train.epochs == 6);
  CHECK(first.config.train.batch == 7);
  CHECK(first.paper == std::vector<std::pair<std::string, double>>{{"clean", 94}, {"mfp", 2.5}});
  CHECK(second.label == "NoisyMix, all of it");
  CHECK(second.group == "Mixing");
  CHECK(second.folder == "mixing-noisymix-all-of-it");
  CHECK(second.config.title == "Mixing, NoisyMix, all of it");
  CHECK(second.config.train.batch == 9);
}

TEST_CASE("sweep file: defaults are those of noisymix evaluate") {
  const Sweep sweep = parse("[[row]]\nconfig = \"demo\"\n");
  CHECK(sweep.title == "s");
  CHECK(sweep.seeds == std::vector<std::uint64_t>{1});
  CHECK(sweep.evaluation.options.suites == EvaluateOptions{}.suites);
  CHECK(sweep.columns.empty());
}

TEST_CASE("sweep file: every mistake has its place") {
  CHECK(mistakes(
            "seeds = [1, -2]\nsets = [\"a\"]\nset = 3\n"
            "[evaluate]\nsuites = [\"clean\", \"corruption\"]\ntest_limit = 1.5\nseverities = [6]\nfoo = 1\n"
            "[[row]]\nconfig = \"demoo\"\n[[row]]\nlabel = \"\"\n") ==
        "s.toml:1:1: seeds: expected a list of integers in 0 .. 9223372036854775807, got -2\n"
        "s.toml:2:1: unknown key sets; did you mean set?\n"
        "s.toml:3:1: set: expected a list of texts, got 3\n"
        "s.toml:5:1: evaluate.suites: unknown suite 'corruption', did you mean corruptions? (known: clean, "
        "corruptions, sequences, noise, attacks, calibration)\n"
        "s.toml:6:1: evaluate.test_limit: expected an integer in 0 .. 1000000000, got 1.5\n"
        "s.toml:7:1: evaluate.severities: expected a list of integers in 1 .. 5, got 6\n"
        "s.toml:8:1: unknown key evaluate.foo\n"
        "s.toml:9:1: row 1: no file or ready configuration 'demoo'; did you mean demo?\n"
        "s.toml:11:1: row 2: no config; name a ready configuration or a TOML file\n"
        "s.toml:12:1: row.label: must not be empty");
}

TEST_CASE("sweep file: settings that a row's configuration refuses") {
  CHECK(mistakes("set = [\"train.epochs=0\"]\n[[row]]\nconfig = \"demo\"\nset = [\"train.btch=1\"]\n") ==
        "s.toml:2:1: row 1: --set train.epochs=0: train.epochs: must be in 1 .. 1000000, got 0\n"
        "s.toml:2:1: row 1: --set train.btch=1: unknown key train.btch; did you mean train.batch?");
  CHECK(mistakes("[[row]]\nconfig = \"demo\"\nset = [\"train.seed=4\"]\n") ==
        "s.toml:3:1: row.set: train.seed is set by seeds = [...]");
  CHECK(mistakes("[[row]]\nconfig = \"demo\"\n", {"train.seed=1"}) ==
        "--set train.seed=1: seeds belong to the sweep's file, seeds = [...]");
}

TEST_CASE("sweep file: rows must not share folders") {
  CHECK(
      mistakes(
          "[[row]]\nconfig = \"demo\"\nlabel = \"A b\"\n[[row]]\nconfig = \"demo\"\nlabel = \"a-B\"\n") ==
      "s.toml:4:1: the runs of \"a-B\" would lie in the folder of \"A b\" (a-b); give the row another label");
  CHECK(mistakes("seeds = [1, 1]\n[[row]]\nconfig = \"demo\"\n") == "s.toml:1:1: seeds: 1 appears twice");
}

TEST_CASE("sweep file: columns and published numbers") {
  const std::string row = "[[row]]\nconfig = \"demo\"\n";
  CHECK(mistakes("columns = [\"claen\"]\n" + row) ==
        "s.toml:1:1: columns: [evaluate] gives no column claen; did you mean clean?");
  CHECK(mistakes("columns = [\"corruption\"]\n" + row).find("gives no column corruption") !=
        std::string::npos);
  CHECK(mistakes(row + "paper = { clean = \"high\" }\n") ==
        "s.toml:3:11: row 1: paper.clean: expected a number, got \"high\"");
  CHECK(mistakes(row + "paper = { white_noise_0.1 = 90 }\n") ==
        "s.toml:3:11: row 1: paper: the table has no column white_noise_0; names with a dot stand in quotes");
  CHECK(parse(row + "paper = { \"white_noise_0.1\" = 90 }\n").rows[0].paper.size() == 1);
}

TEST_CASE("sweep file: texts that are no sweeps") {
  CHECK(mistakes("") == "s.toml: no rows: a sweep has at least one [[row]] with config = \"...\"");
  CHECK(mistakes("row = 3\n") == "s.toml:1:1: row: expected sections [[row]], got 3");
  CHECK(mistakes("title = \"a\\u0007b\"\n[[row]]\nconfig = \"demo\"\n") ==
        "s.toml:1:1: title: must be one line without control characters");
  CHECK(mistakes("x = [[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n").starts_with("s.toml:1:"));
  CHECK(mistakes(std::string(2000, 'x')) == "s.toml:1:1: line of more than 1000 characters");
  CHECK(mistakes(std::string(std::size_t{1} << 21, '\n')) == "s.toml: larger than 1 MB: not a configuration");
  CHECK(mistakes("a = [\n").find("not valid TOML") != std::string::npos);
}

TEST_CASE("sweep file: paths begin where the file lies") {
  const ScratchFolder folder;
  folder.write("own.toml", "title = \"Own\"\n");
  const auto file = folder.write("sweep.toml", "[[row]]\nconfig = \"own.toml\"\n");
  const Sweep sweep = load_sweep(file.string(), {});
  CHECK(sweep.name == "sweep");
  CHECK(sweep.rows.at(0).label == "Own");
  CHECK(sweep.rows.at(0).folder == "own");
}

TEST_CASE("sweep file: rows by label") {
  const Sweep sweep =
      parse("[[row]]\nconfig = \"demo\"\nlabel = \"NoisyMix\"\n[[row]]\nconfig = \"demo-baseline\"\n");
  CHECK(chosen_rows(sweep, {}) == std::vector<std::size_t>{0, 1});
  CHECK(chosen_rows(sweep, {"demo-baseline"}) == std::vector<std::size_t>{1});
  CHECK_THROWS_WITH_AS(chosen_rows(sweep, {"NoisMix"}),
                       "no row 'NoisMix' in this sweep; did you mean 'NoisyMix'?", ConfigError);
}

TEST_CASE("sweep file: names of folders") {
  CHECK(folder_name("Manifold Mixup (alpha=1.0)") == "manifold-mixup-alpha-1.0");
  CHECK(folder_name("../..") == "row");
  CHECK(folder_name("\xC3\xA4 /x") == "x");
  CHECK(folder_name(std::string(300, 'a')).size() == 80);
}
