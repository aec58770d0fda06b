// Evaluation of small runs: cells, resumption, many runs at once.
#include "tools/evaluation/evaluate.h"

#include <doctest/doctest.h>

#include "data/registry.h"
#include "engine/cpu/parallel.h"
#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/small_runs.h"
#include "tools/corrupt.h"
#include "tools/evaluation/results_table.h"
#include "tools/trainer.h"

using namespace noisymix;
namespace fs = std::filesystem;

namespace {

/// A run of two steps.
void train_briefly(const fs::path& folder, std::uint64_t seed) {
  Config config = testing::pictures_run();
  config.train.max_steps = 2;
  config.train.seed = seed;
  TrainObserver nobody;
  Trainer(config, {folder, false, {}}, nobody).run();
}

std::shared_ptr<const Dataset> test_set(std::int64_t count) {
  DatasetOptions options;
  options.train = false;
  options.limit = count;
  return open_dataset(options);
}

EvaluateOptions everything() {
  EvaluateOptions options;
  options.suites = suites_named({"all"});
  options.corruptions = corruptions_named({"gaussian_noise", "fog", "jpeg_compression"});
  options.severities = {2, 5};
  options.sequences = sequences_named({"shot_noise", "translate"});
  options.white_noise = {0.3};
  options.salt_pepper = {0.1};
  options.attacks.fgsm = {8. / 255};
  options.attacks.pgd_linf = {4. / 255};
  options.attacks.pgd_l2 = {0.5};
  options.attacks.iterations = 2;
  options.attack_limit = 6;
  options.sequence_limit = 5;
  options.batch = 8;
  return options;
}

std::vector<EvaluatedRun> open_runs(const std::vector<fs::path>& folders, const Dataset& data,
                                    const EvaluateOptions& options,
                                    std::vector<std::string>* notices = nullptr) {
  std::vector<EvaluatedRun> runs;
  for (const fs::path& folder : folders) {
    runs.push_back(open_evaluated_run(folder, Device{}, data, options, [&](const std::string& text) {
      if (notices != nullptr) notices->push_back(text);
    }));
  }
  return runs;
}

/// Everything but what the clock says and the path.
std::string scores_of(EvaluationResults results) {
  results.run = "";
  std::string text = results_json({results});
  for (const Cell& cell : results.cells)
    text += "\n" + cell.type + std::string(cell.correct.begin(), cell.correct.end());
  for (const auto count : results.corrupted_confusion) text += " " + std::to_string(count);
  return text;
}

}  // namespace

TEST_CASE("evaluate: all suites fill their cells and the run's file") {
  const testing::ScratchFolder folder;
  train_briefly(folder / "run", 1);
  const auto data = test_set(12);
  const EvaluateOptions options = everything();
  auto runs = open_runs({folder / "run"}, *data, options);
  double done = 0, total = -1;
  EvaluationObserver observer;
  observer.progress = [&](const EvaluationProgress& at) {
    CHECK(at.done >= done);
    done = at.done;
    total = at.total;
  };
  REQUIRE(evaluate_runs(runs, *data, make_variants(options, *data), options, observer));
  CHECK(done == doctest::Approx(total));

  const EvaluationResults& results = runs[0].results;
  CHECK(results.cells.size() == 1 + 6 + 2 + 3);
  CHECK(results.find("clean", "clean")->count == 12);
  CHECK(results.find("corruptions", "fog", 5)->correct.size() == 12);
  CHECK(results.find("attacks", "pgd_l2", 0, 0.5)->count == 6);
  REQUIRE(results.sequences.size() == 2);
  CHECK(results.find_sequence("translate")->frames == 16);
  CHECK(results.find_sequence("shot_noise")->noise);
  CHECK(results.find_sequence("shot_noise")->flips.size() == 5);
  CHECK(results.clean_confusion.size() == 100);
  std::int64_t counted = 0;
  for (const std::int64_t count : results.corrupted_confusion) counted += count;
  CHECK(counted == 6 * 12);
  CHECK(scores_of(load_results(folder / "run" / "evaluation.json")) == scores_of(results));
  CHECK(results_text({results}, options).find("jpeg_compression") != std::string::npos);
}

TEST_CASE("evaluate: other threads, other batches, stopped and continued: the same scores") {
  const testing::ScratchFolder folder;
  train_briefly(folder / "whole", 1);
  fs::copy(folder / "whole", folder / "parts", fs::copy_options::recursive);
  const auto data = test_set(10);
  EvaluateOptions options = everything();
  cpu::set_threads(1);
  auto whole = open_runs({folder / "whole"}, *data, options);
  REQUIRE(evaluate_runs(whole, *data, make_variants(options, *data), options, {}));

  cpu::set_threads(2);
  bool finished = false;
  for (int attempt = 0; attempt < 50 && !finished; ++attempt) {
    auto parts = open_runs({folder / "parts"}, *data, options);
    int asked = 0;
    EvaluationObserver observer;
    observer.should_stop = [&] { return ++asked > 40; };
    finished = evaluate_runs(parts, *data, make_variants(options, *data), options, observer);
    CHECK((attempt > 0 || !finished));
  }
  cpu::set_threads(0);
  REQUIRE(finished);
  CHECK(scores_of(load_results(folder / "parts" / "evaluation.json")) == scores_of(whole[0].results));
}

TEST_CASE("evaluate: two runs at once score as each alone; other questions put old answers aside") {
  const testing::ScratchFolder folder;
  train_briefly(folder / "a", 1);
  train_briefly(folder / "b", 2);
  const auto data = test_set(8);
  EvaluateOptions options;
  options.corruptions = corruptions_named({"snow"});
  options.suites = suites_named({"corruptions"});
  options.severities = {3};
  auto both = open_runs({folder / "a", folder / "b"}, *data, options);
  REQUIRE(evaluate_runs(both, *data, make_variants(options, *data), options, {}));
  auto alone = open_runs({folder / "b"}, *data, options);
  alone[0].results.cells.clear();
  alone[0].results.clean_confusion.clear();
  alone[0].results.corrupted_confusion.clear();
  REQUIRE(evaluate_runs(alone, *data, make_variants(options, *data), options, {}));
  CHECK(scores_of(alone[0].results) == scores_of(both[1].results));
  CHECK(results_text({both[0].results, both[1].results}, options).find("difference") != std::string::npos);

  options.seed = 7;
  std::vector<std::string> notices;
  const auto fresh = open_runs({folder / "a"}, *data, options, &notices);
  CHECK(fresh[0].results.cells.empty());
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].find("evaluation.1.json") != std::string::npos);
  CHECK(load_results(folder / "a" / "evaluation.1.json").cells.size() == 2);
}

TEST_CASE("evaluate: a folder in the published layout scores as the same corruption on the fly") {
  const testing::ScratchFolder folder;
  train_briefly(folder / "run", 1);
  const auto data = test_set(8);
  EvaluateOptions options;
  options.suites = suites_named({"corruptions"});
  options.corruptions = corruptions_named({"fog", "contrast"});
  CorruptOptions corrupt;
  corrupt.corruptions = options.corruptions;
  REQUIRE(write_corrupted_set(*data, corrupt, folder / "set", {}));
  auto there = open_runs({folder / "run"}, *data, options),
       here = open_runs({folder / "run"}, *data, options);
  there[0].file.clear();
  here[0].file.clear();
  REQUIRE(evaluate_runs(there, *data, make_published_variants(options, *data, *test_set(9), folder / "set"),
                        options, {}));
  REQUIRE(evaluate_runs(here, *data, make_variants(options, *data), options, {}));
  CHECK(scores_of(there[0].results) == scores_of(here[0].results));
}

TEST_CASE("evaluate: points know noise but no corruptions") {
  DatasetOptions points;
  points.name = "circles";
  points.train = false;
  const auto data = open_dataset(points);
  EvaluateOptions options;
  CHECK(make_variants(options, *data).size() == 4);
  options.suites = suites_named({"corruptions"});
  CHECK_THROWS_WITH_AS(make_variants(options, *data), doctest::Contains("needs images"), ConfigError);
}
