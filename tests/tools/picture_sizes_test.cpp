// Pictures of any size through training, evaluation and prediction: all see the size of the transform.
#include <doctest/doctest.h>

#include "data/corrupted_sets.h"
#include "data/image_codec.h"
#include "data/registry.h"
#include "engine/error.h"
#include "tests/augment/images.h"
#include "tests/scratch_folder.h"
#include "tests/tools/small_runs.h"
#include "tools/bench_loader.h"
#include "tools/evaluation/evaluate.h"
#include "tools/predict.h"
#include "tools/test_set.h"
#include "tools/trainer.h"
#include "tools/training_setup.h"

using namespace noisymix;
using namespace noisymix::testing;
namespace fs = std::filesystem;

namespace {

/// Four classes with five training and two test pictures each, of one size or every one of another.
void write_pictures(const ScratchFolder& folder, bool equal = false) {
  unsigned made = 0;
  for (const char* name : {"n01", "n02", "n03", "n04"})
    for (int i = 0; i < 7; ++i, ++made)
      folder.write(std::string(i < 5 ? "train/" : "val/") + name + "/" + std::to_string(i) + ".png",
                   encode_png(smooth_image(equal ? 12 : 20 + static_cast<int>(made % 9),
                                           equal ? 12 : 22 + static_cast<int>(made % 7), 3, Key(made))));
}

Config imagenet_run(const ScratchFolder& folder) {
  Config config = pictures_run();
  config.data = {};
  config.data.name = "imagenet";
  config.data.path = folder.path().string();
  config.data.normalization = "imagenet";
  config.data.transform = {18, 16};
  config.views.crop = "random_resized";
  config.train.epochs = 1;
  return config;
}

TrainSummary train(const Config& config, const fs::path& run) {
  TrainObserver nobody;
  return Trainer(config, {run, false, {}}, nobody).run();
}

std::string conflict_of(const std::vector<std::string>& overrides) {
  try {
    parse_config("run.toml", "", overrides);
  } catch (const ConfigError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("picture sizes: random resized crops train, and everything later sees the centre crop") {
  const ScratchFolder folder;
  write_pictures(folder);
  Config config = imagenet_run(folder);
  std::string first;
  for (const int workers : {1, 3}) {
    config.train.workers = workers;
    const fs::path run = folder / ("run" + std::to_string(workers));
    CHECK(train(config, run).steps == 5);
    if (first.empty()) first = file_bytes(run / "model.safetensors");
    CHECK(file_bytes(run / "model.safetensors") == first);
  }
  LoadedRun run = load_run(folder / "run1");
  CHECK(run.card.sample_shape == std::vector<std::int64_t>{16, 16, 3});
  CHECK(run.card.resize == 18);
  const auto test = open_test_set(run, {});
  CHECK(test->size() == 8);
  CHECK(test->sample_shape() == run.card.sample_shape);
  fs::copy(folder / "run1/model.safetensors",
           folder / "alone.safetensors");  // the card knows it without the run
  TestSetOptions where;
  where.path = folder.path().string();
  const auto same = open_test_set(load_run(folder / "alone.safetensors"), where);
  CHECK(same->get(3).image == test->get(3).image);

  EvaluateOptions options;
  options.suites = suites_named({"corruptions"});
  options.corruptions = corruptions_named({"fog"});
  options.severities = {3};
  std::vector<EvaluatedRun> runs;
  runs.push_back(open_evaluated_run(folder / "run1", Device{}, *test, options, {}));
  CHECK(evaluate_runs(runs, *test, make_variants(options, *test), options, {}));
  CHECK(runs[0].results.find("corruptions", "fog", 3, 0) != nullptr);
  const Variant renditions = make_renditions_variant(options, *test, folder / "val");
  CHECK(renditions.data->get(2).image == test->get(2).image);
}

TEST_CASE("picture sizes: prediction applies the test transform") {
  const Image image = random_image(40, 60, 3, Key(1));
  const Image fitted = fit_image(image, {16, 16, 3}, 20);
  CHECK(fitted.height == 16);
  CHECK(fitted ==
        fit_image(fit_image(image, {20, 30, 3}), {16, 16, 3}, 20));  // 20 x 30 is the resized picture
  CHECK(fitted != fit_image(image, {16, 16, 3}));
}

TEST_CASE("picture sizes: small images can be enlarged for transfer learning, whatever the crop") {
  const ScratchFolder folder;
  write_pictures(folder, true);
  for (const std::string crop : {"random_resized", "padded"}) {
    Config config = pictures_run();
    config.data.name = "folder";
    config.data.path = folder.path().string();
    config.views.kind = "plain";
    config.views.count = 1;
    config.views.crop = crop;
    config.objective.consistency = "none";
    config.data.transform = {20, 18};
    config.train.max_steps = 1;
    train(config, folder / crop);
    const LoadedRun run = load_run(folder / crop);
    CHECK(run.card.sample_shape == std::vector<std::int64_t>{18, 18, 3});
    const auto test = open_test_set(run, {});
    CHECK(test->sample_shape() == run.card.sample_shape);
    CHECK(open_split(config, true)->sample_shape()[0] == (crop == "padded" ? 18 : 12));
  }
}

TEST_CASE("picture sizes: settings that do not fit together") {
  CHECK(conflict_of({"views.crop=random_resized"}).find("random_resized needs data.crop") !=
        std::string::npos);
  CHECK(conflict_of({"data.name=imagenet", "data.path=x"}).find("differ in size") != std::string::npos);
  CHECK(conflict_of({"data.resize=20", "data.crop=24"}).find("data.resize: is below data.crop") !=
        std::string::npos);
  CHECK(conflict_of({"data.name=circles", "model.name=toy-nfm", "data.crop=8"}).find("holds points") !=
        std::string::npos);
  CHECK(conflict_of({"views.area_low=0"}).find("views.area_low") != std::string::npos);
  CHECK(conflict_of({"data.name=imagenet", "data.path=x", "data.crop=224", "data.resize=256",
                     "views.crop=random_resized"}) == "");
}

TEST_CASE("picture sizes: the loader's benchmark counts what it made") {
  BenchLoaderOptions options;
  options.images = 3;
  options.side = 16;
  const BenchLoaderResult result = bench_loader(options);
  CHECK(result.images == 3);
  CHECK(result.images_per_s > 0);
  CHECK(to_text(result).starts_with("3 random resized crops of 16, 2 threads: "));
  CHECK(to_json(result).find("\"images_per_s\":") != std::string::npos);
  const ScratchFolder folder;
  write_pictures(folder);
  options.path = folder.path();
  options.images = 30;  // more than the 20 there
  CHECK(bench_loader(options).images >= 30);
}
