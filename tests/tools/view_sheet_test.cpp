#include "tools/view_sheet.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "data/image_codec.h"
#include "data/loader.h"
#include "engine/error.h"
#include "tests/scratch_folder.h"
#include "tests/tools/command_line.h"
#include "tools/training_setup.h"

using namespace noisymix;
using namespace noisymix::testing;

namespace {

Config config_of(const std::vector<std::string>& overrides) {
  std::vector<std::string> all{"data.train_limit=6", "data.normalization=none"};
  all.insert(all.end(), overrides.begin(), overrides.end());
  return parse_config("test", "title = \"test\"\n", all);
}

/// Cell (row, column) of a sheet of 32x32 images at scale 1.
Image cell(const Image& sheet, int row, int column) {
  Image image(32, 32, 3);
  for (int y = 0; y < 32; ++y)
    std::copy_n(sheet.row(1 + row * 33 + y) + 3 * (1 + column * 33), 96, image.row(y));
  return image;
}

}  // namespace

TEST_CASE("view sheet: originals, then what the loader of a run gives") {
  const Config config = config_of({"views.kind=augmax", "perturb.kind=augmax", "views.policy=cifar",
                                   "views.jitter=0.25", "objective.consistency=jensen_shannon"});
  CHECK(view_count(config.views) == 5);
  const Image sheet = make_view_sheet(config, {.images = 3, .epochs = 2, .scale = 1});
  CHECK(sheet.height == 3 * 33 + 1);
  CHECK(sheet.width == 11 * 33 + 1);
  const auto data = open_split(config, true);
  DataLoader loader(data, make_views(config.views, make_normalization("none")),
                    {.batch = 6, .shuffle = false, .workers = 0}, Key(config.train.seed).child("data"));
  for (int epoch = 0; epoch < 2; ++epoch) {
    loader.start_epoch(epoch);
    Batch batch;
    REQUIRE(loader.next(batch));
    for (int i = 0; i < 3; ++i) {
      CHECK(cell(sheet, i, 0) == data->get(i).image);
      for (int v = 0; v < 5; ++v) {
        const Image shown = cell(sheet, i, 1 + 5 * epoch + v);
        const float* values = batch.images.data<float>() + (v * 6 + i) * 3072;
        int wrong = 0;
        for (std::size_t k = 0; k < 3072; ++k) wrong += std::abs(values[k] * 255 - shown.pixels[k]) > 0.51f;
        CHECK(wrong == 0);
      }
    }
  }
}

TEST_CASE("view sheet: the command writes a picture") {
  ScratchFolder folder;
  const std::string file = (folder / "views.png").string();
  const Outcome outcome = run_program({"data", "views", "demo", "--out", file, "--set", "data.train_limit=4",
                                       "--set", "views.policy=imagenet", "--images", "2", "--scale", "2"});
  CHECK(outcome.code == 0);
  CHECK(outcome.out == file + "\n");
  CHECK(read_image(file).height == 2 * 33 * 2 + 2);
  CHECK(run_program({"data", "views", "toy-circles-nfm", "--out", file}).code != 0);
  CHECK(run_program({"data", "views", "demo", "--out", file, "--set", "views.policy=cifr"})
            .err.find("did you mean cifar?") != std::string::npos);
}

TEST_CASE("view sheet: options out of range") {
  CHECK_THROWS_AS(make_view_sheet(config_of({}), {.images = 0}), ConfigError);
  CHECK_THROWS_AS(make_view_sheet(config_of({}), {.epochs = 51}), ConfigError);
}

TEST_CASE("views in settings: what does not fit together") {
  CHECK_THROWS_AS(config_of({"views.kind=augmax", "perturb.kind=augmax", "views.count=2"}), ConfigError);
  CHECK_THROWS_AS(config_of({"data.paired=somewhere"}), ConfigError);
  CHECK_THROWS_AS(config_of({"data.paired_share=1.5"}), ConfigError);
  CHECK_THROWS_AS(config_of({"data.name=circles", "model.name=toy-mlp", "views.policy=cifar"}), ConfigError);
  const Config both = config_of({"views.kind=augmix", "views.count=2", "views.policy=cifar",
                                 "views.rotation=2", "objective.consistency=jensen_shannon"});
  const auto views = make_views(both.views, {});
  CHECK(views->count() == 3);
  CHECK_FALSE(views->plan().has_value());
}
