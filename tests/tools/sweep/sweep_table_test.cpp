// The table of a sweep: means and spreads by hand, what is best, and what the files look like.
#include "tools/sweep/sweep_table.h"

#include <doctest/doctest.h>

#include <cmath>

#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/report/sample_runs.h"
#include "tools/sweep/sweep_display.h"

using namespace noisymix;
using testing::sample_results;
using testing::ScratchFolder;

namespace {

constexpr const char* kText = R"(
title = "Small | <table>"
seeds = [1, 2, 3]
columns = ["clean", "corruption", "white_noise_0.1", "ece", "time"]
[evaluate]
suites = ["clean", "corruptions", "noise"]
white_noise = [0.1, 0.2]
[[row]]
config = "demo-baseline"
label = "Baseline, \"plain\""
paper = { clean = 94.0, "white_noise_0.1" = 90.45 }
[[row]]
config = "demo"
label = "NoisyMix"
)";

/// One clean cell of that accuracy and calibration error.
RunOutcome outcome(std::size_t row, std::uint64_t seed, double accuracy, double ece, double seconds) {
  RunOutcome run{row, seed, EvaluationResults{}, seconds, ""};
  Cell cell;
  cell.suite = cell.type = "clean";
  cell.count = 100;
  cell.accuracy = accuracy;
  cell.ece = ece;
  run.results->cells.push_back(cell);
  cell.suite = "noise", cell.type = "white_noise", cell.level = 0.1, cell.accuracy = accuracy - 0.1;
  run.results->cells.push_back(cell);
  return run;
}

SweepTable sample_table() {
  const Sweep sweep = parse_sweep("t.toml", kText, "", {});
  std::vector<RunOutcome> outcomes = {outcome(0, 1, 0.90, 0.05, 60), outcome(0, 2, 0.93, 0.02, 80),
                                      outcome(0, 3, 0.96, 0.02, 100), outcome(1, 1, 0.95, 0.04, 3700)};
  outcomes.push_back({1, 2, std::nullopt, 0, "out of memory"});
  outcomes.push_back({1, 3, std::nullopt, 0, ""});
  return make_sweep_table(sweep, outcomes);
}

}  // namespace

TEST_CASE("sweep table: mean and population deviation over seeds") {
  const SweepTable table = sample_table();
  REQUIRE(table.rows.size() == 2);
  const auto& cell = table.rows[0].cells[0];
  REQUIRE(cell);
  CHECK(cell->seeds == 3);
  CHECK(cell->mean == doctest::Approx(0.93));
  CHECK(cell->deviation == doctest::Approx(0.03 * std::sqrt(2.0 / 3)));  // not sqrt(1): that is the sample's
  CHECK(table.rows[0].cells[3]->mean == doctest::Approx(0.03));
  CHECK(table.rows[0].cells[3]->deviation == doctest::Approx(std::sqrt((0.0004 + 0.0001 + 0.0001) / 3)));
  CHECK(table.rows[0].cells[4]->mean == doctest::Approx(80));
  CHECK_FALSE(table.rows[0].cells[1]);  // no corruptions measured
  CHECK(shown_cell(table.columns[0], cell) == "93.00 ± 2.45");
  CHECK(shown_cell(table.columns[0], table.rows[1].cells[0]) == "95.00");
  CHECK(shown_cell(table.columns[4], table.rows[1].cells[4]) == "1:01:40");
}

TEST_CASE("sweep table: the best of a column, in the column's sense") {
  const SweepTable table = sample_table();
  CHECK_FALSE(table.rows[0].cells[0]->best);
  CHECK(table.rows[1].cells[0]->best);
  CHECK(table.rows[0].cells[3]->best);  // the smaller calibration error
  CHECK_FALSE(table.rows[1].cells[3]->best);
  CHECK_FALSE(table.rows[0].cells[4]->best);  // times are not judged
}

TEST_CASE("sweep table: Markdown and CSV") {
  const SweepTable table = sample_table();
  const std::string markdown = to_markdown(table);
  CHECK(markdown.find(
            "| Baseline, \"plain\" | 93.00 ± 2.45 | 94 | - | 83.00 ± 2.45 | 90.45 | **3.00 ± 1.41** | "
            "1:20 ± 0:16 | 3 |") != std::string::npos);
  CHECK(markdown.find("| NoisyMix | **95.00** | - | - | **85.00** | - | 4.00 | 1:01:40 | 1 of 3 |") !=
        std::string::npos);
  CHECK(markdown.find("- NoisyMix, seed 2: out of memory") != std::string::npos);
  CHECK(to_csv(table) ==
        "group,label,finished,seeds,clean_mean,clean_sd,clean_paper,corruption_mean,corruption_sd,"
        "white_noise_0.1_mean,white_noise_0.1_sd,white_noise_0.1_paper,ece_mean,ece_sd,time_mean,time_sd,"
        "failures\n"
        ",\"Baseline, "
        "\"\"plain\"\"\",3,3,93.0000,2.4495,94,,,83.0000,2.4495,90.45,3.0000,1.4142,80.0000,16.3299,\n"
        ",NoisyMix,1,3,95.0000,0.0000,,,,85.0000,0.0000,,4.0000,0.0000,3700.0000,0.0000,seed 2: out of "
        "memory\n");
}

TEST_CASE("sweep table: the page escapes what it shows") {
  const std::string page = to_html(sample_table());
  CHECK(page.find("Small | &lt;table&gt;") != std::string::npos);
  CHECK(page.find("<table>") == std::string::npos);
  CHECK(page.find("class=\"best\"") != std::string::npos);
  CHECK(page.find("data-value=\"0.930000\"") != std::string::npos);
  CHECK(page.find("default-src 'none'") != std::string::npos);
  CHECK(page.find("prefers-color-scheme:dark") != std::string::npos);
}

TEST_CASE("sweep table: groups are judged apart") {
  const Sweep sweep = parse_sweep("t.toml",
                                  "columns = [\"clean\"]\n"
                                  "[[row]]\nconfig = \"demo\"\nlabel = \"a\"\ngroup = \"G\"\n"
                                  "[[row]]\nconfig = \"demo\"\nlabel = \"b\"\ngroup = \"H\"\n"
                                  "[[row]]\nconfig = \"demo\"\nlabel = \"c\"\ngroup = \"G\"\n",
                                  "", {});
  const SweepTable table = make_sweep_table(
      sweep, {outcome(0, 1, 0.5, 0, 0), outcome(1, 1, 0.9, 0, 0), outcome(2, 1, 0.50001, 0, 0)});
  const auto groups = groups_of(table);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].second == std::vector<std::size_t>{0, 2});
  CHECK(table.rows[0].cells[0]->best);  // looks the same as the best
  CHECK(table.rows[2].cells[0]->best);
  CHECK_FALSE(table.rows[1].cells[0]->best);  // alone in its group
}

TEST_CASE("sweep table: means are over the cells that the sweep asks for") {
  const EvaluationResults all = sample_results("a", 1, 0.9);
  SweepEvaluation wanted;
  wanted.options.suites = {Suite::clean, Suite::corruptions};
  wanted.options.corruptions = corruptions_named({"fog", "snow"});
  wanted.options.severities = {1, 3};
  const EvaluationResults chosen = restricted(all, wanted);
  CHECK(chosen.cells.size() == 5);
  CHECK(chosen.sequences.empty());
  double sum = 0;
  for (const char* type : {"fog", "snow"})
    for (const int severity : {1, 3}) sum += all.find("corruptions", type, severity)->accuracy;
  CHECK(*column_value("corruption", chosen) == doctest::Approx(sum / 4));
  CHECK_FALSE(column_value("mfp", chosen));
}

TEST_CASE("sweep table: every possible column is filled by results that have all") {
  EvaluateOptions options;
  options.suites = {Suite::clean, Suite::corruptions, Suite::noise};
  options.white_noise = {0.1, 0.2};
  options.salt_pepper.clear();
  EvaluationResults results = sample_results("a", 1, 0.9);
  for (const char* type : {"speckle_noise", "gaussian_blur", "spatter", "saturate"})
    results.cells.push_back(testing::sample_cell("corruptions", type, 3, 0, 50, 0.7, 1));
  for (const SweepColumn& column : possible_columns(options)) {
    CAPTURE(column.key);
    if (column.key.ends_with("_sh")) continue;  // infinite here: within a bin all confidences are equal
    CHECK((column.key == "time" || column_value(column.key, results).has_value()));
  }
}

TEST_CASE("sweep evaluation: complete means these weights, all cells, and as many examples") {
  EvaluationResults results = sample_results("a", 1, 0.9);
  SweepEvaluation wanted;
  wanted.options.suites = {Suite::clean, Suite::corruptions};
  results.settings = settings_of(wanted.options);
  const TestSetFacts facts{true, 32, 50, results.data_hash};
  CHECK(is_complete(results, wanted, results.weights_hash, facts));
  CHECK(is_complete(results, wanted, results.weights_hash, std::nullopt));
  CHECK_FALSE(is_complete(results, wanted, "others", facts));
  CHECK_FALSE(
      is_complete(results, wanted, results.weights_hash, TestSetFacts{true, 32, 60, results.data_hash}));
  CHECK_FALSE(is_complete(results, wanted, results.weights_hash, TestSetFacts{true, 32, 50, "other"}));
  CHECK_FALSE(
      is_complete(results, wanted, results.weights_hash, TestSetFacts{true, 224, 50, results.data_hash}));
  wanted.options.suites.push_back(Suite::noise);  // salt & pepper is missing
  CHECK_FALSE(is_complete(results, wanted, results.weights_hash, facts));
}

TEST_CASE("sweep estimate: by row, by pictures, shared by jobs") {
  // Row 0 takes 2 s a step of 10 pictures; row 1 is unknown and has 30 pictures a step.
  std::vector<SweepWork> runs(3);
  runs[0] = {0, 100, 40, 10, 2, 0, false, false, false};
  runs[1] = {1, 10, 0, 30, 0, 0, false, false, false};
  runs[2] = {0, 100, 100, 10, 2, 5, true, true, false};
  const SweepEstimate one = estimate_remaining(runs, 1);
  CHECK(one.known);
  CHECK(one.complete);
  CHECK(one.seconds == doctest::Approx(60 * 2 + 5 + 10 * 6 + 5));
  CHECK(estimate_remaining(runs, 2).seconds == doctest::Approx(125));  // the longest run
  runs[2].evaluation_seconds = 0;
  CHECK_FALSE(estimate_remaining(runs, 1).complete);
  CHECK(shown_estimate(estimate_remaining(runs, 1)) == "more than 3:00");
  CHECK_FALSE(estimate_remaining({SweepWork{}}, 1).known);
  CHECK(shown_estimate(estimate_remaining({SweepWork{}}, 1)) == "?");
  CHECK(shown_progress({2, 1, 9, {"a-seed1, epoch 2 of 3", "b-seed1, starting"}, one}) ==
        "run 4 of 9, 1 failed  a-seed1, epoch 2 of 3 (and 1 more)  ETA 3:10");
}

TEST_CASE("sweep table: three files") {
  const ScratchFolder folder;
  write_tables(sample_table(), folder / "out");
  for (const char* name : {"table.md", "table.csv", "table.html"})
    CHECK(std::filesystem::exists(folder / "out" / name));
}
