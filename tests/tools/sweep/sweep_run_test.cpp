// Whole sweeps with processes of their own: stopped and continued, with a failing row, several at a time.
#include "tools/sweep/sweep_run.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <fstream>

#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"
#include "tests/tools/small_runs.h"
#include "tools/sweep/child_process.h"
#include "tools/sweep/sweep_table.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

namespace fs = std::filesystem;

constexpr const char* kTwoRows = R"(
seeds = [1, 2]
set = ["train.epochs=3"]
columns = ["clean", "white_noise_0.1", "ece"]
[evaluate]
suites = ["clean", "noise"]
white_noise = [0.1]
[[row]]
config = "toy-circles-baseline"
label = "Baseline"
[[row]]
config = "toy-circles-mixup"
label = "Mixup"
)";

constexpr const char* kFailing = R"(
[[row]]
config = "demo-baseline"
label = "Lost data"
set = ['data.path="/nowhere"', 'data.name="cifar10"']
)";

struct Result {
  SweepEnd end;
  SweepTable table;
  std::vector<std::string> lines;
};

Sweep sample_sweep(const std::string& more = "", const std::vector<std::string>& overrides = {}) {
  return parse_sweep("sample.toml", kTwoRows + more, "", overrides);
}

Result carry_out(const Sweep& sweep, const fs::path& out, int jobs = 1,
                 std::function<bool()> should_stop = {}) {
  SweepOptions options;
  options.jobs = jobs;
  options.threads = 2;
  options.device = "cpu";
  options.program = {NOISYMIX_PROGRAM};
  options.should_stop = std::move(should_stop);
  Result result{};
  SweepObserver observer;
  observer.line = [&](const std::string& line) { result.lines.push_back(line); };
  const std::vector<SweepRun> runs = plan_runs(sweep, chosen_rows(sweep, {}), out);
  result.end = run_sweep(sweep, runs, out, options, observer);
  result.table = make_sweep_table(sweep, collect_outcomes(sweep, runs));
  return result;
}

bool ended_with(const Result& result, const std::string& beginning) {
  return std::any_of(result.lines.begin(), result.lines.end(),
                     [&](const std::string& line) { return line.find(beginning) != std::string::npos; });
}

}  // namespace

TEST_CASE("sweep: two rows with two seeds, then nothing left to do") {
  const ScratchFolder folder;
  const Sweep sweep = sample_sweep();
  const Result whole = carry_out(sweep, folder / "out");
  CHECK(whole.end == SweepEnd::completed);
  REQUIRE(whole.lines.size() == 4);
  CHECK(whole.lines[0].starts_with("[1/4] finished baseline-seed1: clean "));
  REQUIRE(whole.table.rows.size() == 2);
  for (std::size_t row = 0; row < 2; ++row) {
    CHECK(whole.table.rows[row].finished == 2);
    double sum = 0, squares = 0;  // by hand, from the files
    for (const char* seed : {"1", "2"}) {
      const fs::path run = folder / "out" / "runs" / (sweep.rows[row].folder + "-seed" + seed);
      const double accuracy = load_results(results_file(run)).find("clean", "clean")->accuracy;
      sum += accuracy, squares += accuracy * accuracy;
    }
    const auto& cell = whole.table.rows[row].cells[0];
    REQUIRE(cell);
    CHECK(cell->mean == doctest::Approx(sum / 2));
    CHECK(cell->deviation ==
          doctest::Approx(std::sqrt(std::max(0.0, squares / 2 - sum * sum / 4))).epsilon(1e-6));
  }
  const fs::path model = folder / "out" / "runs" / "mixup-seed2" / "model.safetensors";
  const auto written = fs::last_write_time(model);
  const Result again = carry_out(sweep, folder / "out");
  CHECK(again.end == SweepEnd::completed);
  CHECK(again.lines.empty());
  CHECK(to_csv(again.table) == to_csv(whole.table));
  CHECK(fs::last_write_time(model) == written);
}

TEST_CASE("sweep: several at a time, or stopped and continued, give the same table") {
  const ScratchFolder folder;
  const Sweep sweep = sample_sweep();
  const std::string whole = to_csv(carry_out(sweep, folder / "one").table);
  CHECK(to_csv(carry_out(sweep, folder / "two", 2).table) == whole);
  // Stops each attempt as soon as one more run has begun.
  int attempts = 0;
  Result last{};
  do {
    std::size_t begun = 0;
    const auto count = [&] {
      std::size_t metrics = 0;
      std::error_code none;
      for (const auto& entry : fs::directory_iterator(folder / "stopped" / "runs", none))
        metrics += fs::exists(entry.path() / "metrics.jsonl") ? 1 : 0;
      return metrics;
    };
    begun = count();
    last = carry_out(sweep, folder / "stopped", 1, [&] { return count() > begun; });
    CHECK(last.end == (count() > begun ? SweepEnd::interrupted : SweepEnd::completed));
  } while (last.end == SweepEnd::interrupted && ++attempts < 10);
  CHECK(last.end == SweepEnd::completed);
  CHECK(attempts == 4);
  CHECK(to_csv(last.table) == whole);
  CHECK(file_bytes(folder / "stopped" / "runs" / "mixup-seed1" / "model.safetensors") ==
        file_bytes(folder / "one" / "runs" / "mixup-seed1" / "model.safetensors"));
}

TEST_CASE("sweep: a row that fails does not stop the others") {
  const ScratchFolder folder;
  const Sweep sweep = sample_sweep(kFailing);
  const Result result = carry_out(sweep, folder / "out", 2);
  CHECK(result.end == SweepEnd::failures);
  REQUIRE(result.table.rows.size() == 3);
  CHECK(result.table.rows[0].finished == 2);
  CHECK(result.table.rows[2].finished == 0);
  REQUIRE(result.table.rows[2].failures.size() == 2);
  CHECK(result.table.rows[2].failures[0].starts_with("seed 1: /nowhere: no such folder"));
  CHECK(ended_with(result, "failed lost-data-seed2: /nowhere: no such folder"));
  CHECK(to_markdown(result.table).find("- Lost data, seed 1: /nowhere") != std::string::npos);
}

TEST_CASE("sweep: runs made with other settings are named, and can be put aside") {
  const ScratchFolder folder;
  (void)carry_out(sample_sweep(), folder / "out");
  const Sweep changed = sample_sweep("set = [\"train.batch=60\"]\n");  // of the last row
  const auto runs = plan_runs(changed, chosen_rows(changed, {}), folder / "out");
  try {
    check_settings(changed, runs);
    FAIL("expected an error");
  } catch (const ConfigError& error) {
    const std::string text = error.what();
    CHECK(
        text.find("mixup-seed1: was trained with other settings (train.batch: 50 -> 60); train it anew with "
                  "--fresh \"Mixup\", or choose another --out") != std::string::npos);
    CHECK(text.find("baseline") == std::string::npos);
  }
  for (const SweepRun& run : runs)
    if (changed.rows[run.row].label == "Mixup") CHECK(put_aside(run).parent_path() == folder / "out" / "old");
  CHECK_NOTHROW(check_settings(changed, runs));
  RunInspector inspector(changed.evaluation);
  CHECK(inspector.state(runs[0]) == RunState::evaluated);
  CHECK(inspector.state(runs[1]) == RunState::fresh);
}

TEST_CASE("sweep: the command line") {
  const ScratchFolder folder;
  const std::string file = folder.write("s.toml", std::string(kTwoRows)).string(),
                    out = (folder / "out").string();
  CHECK(run_program({"sweep", "--list"}).out.find("papers/noisymix-table2") != std::string::npos);
  const Outcome dry = run_program({"sweep", file, "--out", out, "--dry-run", "--only", "Mixup"});
  CHECK(dry.code == kExitSuccess);
  CHECK(dry.out ==
        "mixup-seed1  not begun  Mixup\nmixup-seed2  not begun  Mixup\n2 runs, estimated time left ?\n");
  CHECK_FALSE(fs::exists(folder / "out"));
  const Outcome table = run_program({"sweep", file, "--out", out, "--table"});
  CHECK(table.code == kExitSuccess);
  CHECK(table.out.find("0 of 2") != std::string::npos);
  CHECK(fs::exists(folder / "out" / "table.html"));
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"sweep"},
                                                {"sweep", file, "--jobs", "0"},
                                                {"sweep", file, "--only", "x"},
                                                {"sweep", "/nowhere.toml"}}) {
    CAPTURE(wrong.back());
    CHECK(run_program(wrong).code == kExitUsage);
  }
}

TEST_CASE("sweep: what a failed process said last") {
  const ScratchFolder folder;
  const std::string old = "noisymix: an old error\n";
  const auto log = folder.write("a.log", old + "epoch 1\nnoisymix: first line\nnoisymix:   second line\n");
  CHECK(error_in_log(log, old.size(), 1) == "first line");
  const auto silent = folder.write("b.log", std::string("epoch 1\n"));
  CHECK(error_in_log(silent, 0, 128 + 9) == "ended by signal 9 (out of memory?)");
  CHECK(error_in_log(silent, 0, 3).starts_with("ended with exit code 3, see "));
  ChildProcess child({"/nowhere/program"}, folder / "c.log");
  std::optional<int> code;
  while (!(code = child.poll())) {
  }
  CHECK(*code == 127);
  CHECK(error_in_log(folder / "c.log", 0, *code) == "cannot start /nowhere/program");
}
