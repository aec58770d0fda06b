#include "tools/report/report.h"

#include <fstream>

#include <doctest/doctest.h>

#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/report/sample_runs.h"
#include "tests/tools/report/well_formed.h"

using namespace noisymix;
using namespace noisymix::report;
using testing::html_fault;

namespace {

ReportRun full_run(const std::string& title, std::uint64_t seed, double accuracy) {
  ReportRun run;
  run.path = "runs/" + title;
  run.results = testing::sample_results(title, seed, accuracy);
  run.curve = TrainingCurve{title, {{1, 2, 0.3, 1.8, 0.4}, {2, 1.5, 0.5, 1.4, 0.55}}};
  run.training = TrainingFacts{"preactresnet18", "train images", "1.2.3", 700762, 2, seed, 130, 718};
  run.config = "title = \"" + title + "\"\n";
  run.harmed.push_back(
      {Image(8, 8, 3), Image(8, 8, 3), "cat", "fog, severity 3", {"cat", 0.9}, {"dog", 0.99}});
  return run;
}

bool has_section(const std::string& page, const std::string& id) {
  return page.find("<section id=\"" + id + "\">") != std::string::npos;
}

const char* const kSections[] = {"training",  "corruptions", "severities", "levels",    "calibration",
                                 "sequences", "confusions",  "harmed",     "provenance"};

}  // namespace

TEST_CASE("a full report has every section") {
  std::vector<ReportRun> runs{full_run("baseline", 1, 0.8), full_run("noisymix", 1, 0.85)};
  label_runs(runs);
  const std::string page = make_report(runs);
  CHECK(html_fault(page) == "");
  for (const char* id : kSections) {
    CAPTURE(id);
    CHECK(has_section(page, id));
  }
  CHECK_FALSE(has_section(page, "missing"));
  CHECK(page.find("noisymix less baseline") != std::string::npos);
  CHECK(page.find("Decision boundaries") == std::string::npos);
  CHECK(page.find(">nan") == std::string::npos);
}

TEST_CASE("the file needs nothing from elsewhere and runs nothing") {
  const std::string page = make_report({full_run("a", 1, 0.8)});
  for (const char* piece :
       {"http://", "https://", "<script", "<link", "@import", "url(", "src=\"//", " onload", "javascript:"}) {
    CAPTURE(piece);
    CHECK(page.find(piece) == std::string::npos);
  }
}

TEST_CASE("what has no data is left out, with the command that fills it") {
  ReportRun run;
  run.path = "runs/<new>";
  run.curve = TrainingCurve{"new", {{1, 2, 0.3, {}, {}}}};
  std::vector<ReportRun> runs{run};
  label_runs(runs);
  std::string page = make_report(runs);
  CHECK(html_fault(page) == "");
  CHECK(has_section(page, "training"));
  for (const char* id :
       {"corruptions", "severities", "levels", "calibration", "sequences", "confusions", "harmed"}) {
    CAPTURE(id);
    CHECK_FALSE(has_section(page, id));
  }
  CHECK(has_section(page, "missing"));
  CHECK(page.find("noisymix evaluate runs/&lt;new&gt; ") != std::string::npos);

  runs[0].results = testing::sample_results("new", 1, 0.7);
  std::erase_if(runs[0].results->cells, [](const Cell& cell) { return cell.suite != "clean"; });
  runs[0].results->sequences.clear();
  page = make_report(runs);
  CHECK(html_fault(page) == "");
  CHECK(has_section(page, "calibration"));
  CHECK_FALSE(has_section(page, "severities"));
}

TEST_CASE("hostile names come out as text") {
  ReportRun run = full_run("<script>alert(1)</script>", 1, 0.8);
  run.path = "runs/\"><img src=x onerror=y>";
  run.config = "</pre><script>";
  run.results->class_names = {"<script>cat", "a\"b", "'&amp;"};
  run.results->data = "</style><b>";
  run.results->data_hash = "<i>";
  run.training->model = "<model>";
  run.harmed[0].truth = "\"<x>";
  run.results->cells.push_back(testing::sample_cell("noise", "<noise>", 0, 0.5, 50, 0.5, 1));
  SequenceScores scores = run.results->sequences[0];
  scores.type = "<blink>";
  run.results->sequences.push_back(scores);
  std::vector<ReportRun> runs{run};
  label_runs(runs);
  const std::string page = make_report(runs);
  CHECK(html_fault(page) == "");
  for (const char* piece :
       {"<script", "<img src=x", "<i>", "<model>", "<noise>", "<blink>", "<b>\"", "<x>"}) {
    CAPTURE(piece);
    CHECK(page.find(piece) == std::string::npos);
  }
  CHECK(page.find("&lt;script&gt;alert(1)&lt;/script&gt;") != std::string::npos);
}

TEST_CASE("partial corruptions say so") {
  ReportRun run = full_run("a", 1, 0.8);
  std::erase_if(run.results->cells,
                [](const Cell& cell) { return cell.suite == "corruptions" && cell.severity != 3; });
  const std::string page = make_report({run});
  CHECK(page.find("over 15 of the 75 combinations") != std::string::npos);
  CHECK(page.find("Only over 15 of 75 cells.") != std::string::npos);
}

TEST_CASE("labels tell runs apart") {
  std::vector<ReportRun> runs{full_run("a", 1, 0.8), full_run("a", 2, 0.8), full_run("b", 1, 0.8)};
  label_runs(runs);
  CHECK(runs[0].label == "a, seed 1");
  CHECK(runs[1].label == "a, seed 2");
  CHECK(runs[2].label == "b");
  runs[1].results->seed = 1;
  runs[1].path = "other";
  label_runs(runs);
  CHECK(runs[0].label == "a (runs/a)");
  CHECK(runs[1].label == "a (other)");
}

TEST_CASE("runs evaluated on different images are refused") {
  std::vector<ReportRun> runs{full_run("a", 1, 0.8), full_run("b", 1, 0.8)};
  runs[1].results->data_hash = "other";
  CHECK_THROWS_AS(make_report(runs), ConfigError);
  CHECK_THROWS_AS(make_report({}), ConfigError);
}

TEST_CASE("a run folder is read as far as it goes") {
  const testing::ScratchFolder folder;
  CHECK_THROWS_AS(read_report_run(folder.path()), DataError);
  std::ofstream(folder.path() / "metrics.jsonl")
      << R"({"kind":"start","model":"toy","parameters":12,"seed":3,"version":"0.1.0","train_data":"points"})"
      << "\n"
      << R"({"kind":"epoch","epoch":1,"train_loss":1.0,"train_accuracy":0.5,"seconds":2.5,"images_per_s":100})"
      << "\n"
      << R"({"kind":"epoch","epoch":2,"train_loss":0.5,"train_accuracy":0.7,"seconds":2.5,"images_per_s":200})"
      << "\n";
  const ReportRun run = read_report_run(folder.path());
  CHECK(run.curve->points.size() == 2);
  CHECK(run.training->parameters == 12);
  CHECK(run.training->seed == 3);
  CHECK(run.training->epochs == 2);
  CHECK(run.training->seconds == 5);
  CHECK(run.training->images_per_second == 150);
  CHECK_FALSE(run.results.has_value());
}
